"""Reorders a list by scores, none of it further from its place than it may move (pure)."""

from __future__ import annotations

import heapq

from foundation.arrays import Doubles


def move_within(wanted: Doubles, most: int) -> list[int]:
    """Return the places of a list in a new order: the most wanted first, each at most `most` from where it stood.

    Of equal ones the former stays first. The first of a longer list are those of a shorter one that is longer than they
    by `most`.

    Args:
        wanted: What each place's document is wanted at, in the order that stands.
    """
    arranged: list[int] = []
    placed: set[int] = set()
    within: list[tuple[float, int]] = []
    for place in range(len(wanted)):
        for entering in range(place + most if place else 0, min(place + most + 1, len(wanted))):
            heapq.heappush(within, (-float(wanted[entering]), entering))
        taken = place - most
        if taken < 0 or taken in placed:  # else it may fall no further
            taken = heapq.heappop(within)[1]
            while taken in placed:
                taken = heapq.heappop(within)[1]
        placed.add(taken)
        arranged.append(taken)
    return arranged
