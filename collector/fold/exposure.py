"""Where a search of an experiment counts (pure)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

_DAY_S = 86400


class OutcomeKey(NamedTuple):
    """What the signals of searches are added up by, within a collection.

    Attributes:
        unit: The randomization unit.
        day: Whole days between 1970-01-01 (UTC) and the search.
        known: Whether the search named its user.
        had_evidence: Whether its query had live evidence when it was ranked.
    """

    experiment: str
    run: int
    unit: str
    day: int
    arm: str
    surface: str
    known: bool
    had_evidence: bool


def day_of(at: datetime) -> int:
    """Return the whole days between 1970-01-01 (UTC) and a moment."""
    return int(at.timestamp() // _DAY_S)
