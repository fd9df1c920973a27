"""What a check finds: a number, its bound, and the queries that are worst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from foundation.arrays import Doubles

_WORST = 3
"""So many of the queries that lose most are named."""


@dataclass(frozen=True, slots=True)
class GateFinding:
    """One number that must be on the right side of its bound.

    Attributes:
        check: What was measured, in words.
        side: On which side of the bound the value must be.
        problem: What is wrong where it is not, in words.
        worst: The queries that fare worst, each with its number.
    """

    check: str
    value: float
    side: Literal["above", "below"]
    bound: float
    problem: str
    worst: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the value is on the right side."""
        return self.value > self.bound if self.side == "above" else self.value < self.bound

    def tell(self) -> str:
        """Return what is wrong, with number and bound."""
        return f"{self.problem} ({self.check} {_tell(self.value)}, must be {self.side} {_tell(self.bound)})"


def name_worst(keys: list[str], change: Doubles) -> tuple[str, ...]:
    """Return the queries that lose most, each with what it loses; none where none loses.

    Args:
        change: By query, shape (len(keys),).
    """
    places = np.argsort(change, kind="stable")[:_WORST].tolist()
    return tuple(f"{keys[place]!r} {change[place]:+.3f}" for place in places if change[place] < 0)


def _tell(number: float) -> str:
    return f"{number:+.4f}" if abs(number) < 1 else f"{number:+.1f}"
