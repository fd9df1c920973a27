"""Whom the clicks of an interleaved list prefer (pure).

Only competitive slots have a team and earn credit. A search weighs less the lower its first competitive slot stands,
for few people click down there. Weight and teams are fixed before any click. So the expected preference is 0 for any
two rankings under clicks that ignore what stands where.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

MAX_WEIGHT = 2520
"""The weight of a search whose first slot is competitive; every rank from 1 to 10 divides it."""


class SearchPreference(NamedTuple):
    """Whom the clicks of one search prefer.

    Attributes:
        side: 1 treatment, -1 control, 0 neither.
        weight: How much the search counts, from `MAX_WEIGHT` for rankings that differ at once down to
            `MAX_WEIGHT` // k for those that differ from rank k on.
    """

    side: int
    weight: int


def preference(teams: Sequence[str], clicked_ranks: Iterable[int]) -> SearchPreference | None:
    """Return whom one search's clicks prefer, None when it offered no choice.

    Args:
        teams: The team of each slot, index 0 is rank 1.
        clicked_ranks: Clicked ranks, from 1; ranks outside the list are ignored.
    """
    first = next((rank for rank, team in enumerate(teams, 1) if team), 0)
    if not first:
        return None
    clicked = [teams[rank - 1] for rank in set(clicked_ranks) if 1 <= rank <= len(teams)]
    credit = clicked.count("treatment") - clicked.count("control")
    return SearchPreference((credit > 0) - (credit < 0), MAX_WEIGHT // first)
