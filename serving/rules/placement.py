"""Puts documents at ranks of a list (pure)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlacedPin:
    """A document that a rule wants at a rank.

    Attributes:
        rule: The rule's name.
        rank: 1 on top.
    """

    rule: str
    id: str
    rank: int


def place(listed: Iterable[str], pins: Sequence[PlacedPin], length: int) -> list[tuple[str, str]]:
    """Return a list of documents with some at the ranks that rules want, at most `length`.

    Each comes once. Of two that want one rank the later takes the next that is free; one that is wanted below the end
    of the list stands at its end. The others keep their order.

    Args:
        listed: Ids in their order.
        pins: Of distinct documents, the most important first.

    Returns:
        Each id with the name of the rule that put it there, "" for none.
    """
    wanted: dict[int, PlacedPin] = {}
    for pin in pins:
        rank = pin.rank
        while rank in wanted:
            rank += 1
        wanted[rank] = pin
    pinned = {pin.id for pin in pins}
    others = deque(name for name in listed if name not in pinned)
    left = deque(sorted(wanted))
    placed: list[tuple[str, str]] = []
    while len(placed) < length and (others or left):
        if left and (left[0] == len(placed) + 1 or not others):
            pin = wanted[left.popleft()]
            placed.append((pin.id, pin.rule))
        else:
            placed.append((others.popleft(), ""))
    return placed
