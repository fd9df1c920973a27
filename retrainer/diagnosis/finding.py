"""What is said of one cause (pure)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from scipy.special import ndtri

from ab_testing.api import USUAL_POWER

Cause = Literal["power", "lists", "clicks", "leakage", "agreement", "drift", "unjudged", "latency", "position_bias"]
State = Literal["named", "cleared", "unknown"]

LEVEL = 0.01
"""Probability with which each end of an interval is passed: of nine causes, one is named falsely in at most 9%."""

_FOUND = float(ndtri(0.975))
MATERIAL_LOSS = 1 - _FOUND / (_FOUND + float(ndtri(USUAL_POWER)))
"""Share of a gain, 30%, without which an experiment that was planned to find it finds the rest no more often than not.

An effect that a test at 5% finds with 80% power is 1.96 + 0.84 standard errors large. Where only 1.96 are left, the
chance is a half.
"""


@dataclass(frozen=True, slots=True)
class BoundedValue:
    """A number with its interval, and the bound beyond which it explains a missing gain.

    Attributes:
        bad: On which side of the bound it does.
    """

    value: float
    low: float
    high: float
    bound: float
    bad: Literal["below", "above"]

    @property
    def state(self) -> State:
        """Whether the whole interval lies on one side of the bound, and on which."""
        below, above = self.high < self.bound, self.low > self.bound
        if not below and not above:
            return "unknown"
        return "named" if below == (self.bad == "below") else "cleared"


@dataclass(frozen=True, slots=True)
class CauseFinding:
    """What is known of one cause."""

    cause: Cause = field(metadata={"description": "Which cause it is."})
    state: State = field(
        metadata={
            "description": "named: it explains why the gain is missing. cleared: it does not. unknown: there is not "
            "enough to tell, and the sentence says of what."
        }
    )
    sentence: str = field(metadata={"description": "What was found, in plain words."})
    next_step: str = field(metadata={"description": "What to do about it; empty where nothing is to be done."})
    what: str = field(default="", metadata={"description": "What the number is."})
    value: float | None = field(default=None, metadata={"description": "The number; null without one."})
    low: float | None = field(
        default=None, metadata={"description": "Lower end of its 98% interval; null where it has none."}
    )
    high: float | None = field(default=None, metadata={"description": "Upper end, likewise."})
    bound: float | None = field(
        default=None, metadata={"description": "Beyond it, with the whole interval, the cause is named."}
    )


def find(cause: Cause, what: str, measured: BoundedValue, sentence: str, next_step: str) -> CauseFinding:
    """Return what a number says of a cause.

    Args:
        sentence: What was measured, whatever follows.
        next_step: What to do where the cause is named, or where nothing follows yet.
    """
    state = measured.state
    told = f"not enough to tell: {sentence}" if state == "unknown" else sentence
    return CauseFinding(
        cause=cause,
        state=state,
        sentence=told[0].upper() + told[1:],
        next_step="" if state == "cleared" else next_step,
        what=what,
        value=_told(measured.value),
        low=_told(measured.low),
        high=_told(measured.high),
        bound=_told(measured.bound),
    )


def lack(cause: Cause, of: str, next_step: str) -> CauseFinding:
    """Return that there is not enough to tell."""
    return CauseFinding(cause, "unknown", f"Not enough: {of}", next_step)


def _told(number: float) -> float | None:
    """Return a number as JSON can hold it."""
    return float(number) if math.isfinite(number) else None
