"""Slices of the held-out queries: no kind of query pays for the gain of the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Doubles, Flags
from retrainer.gate.checks.finding import GateFinding, name_worst
from retrainer.gate.comparison import Comparison
from retrainer.gate.measurements import Measurements
from serving.encode.scripts import script_of

MIN_QUERIES = 20
"""A slice of fewer queries says nothing by itself."""
MARGIN = 0.02
"""A slice may lose so much of nDCG@10, and as much more as chance alone would make it lose."""

_ERRORS = 2.5
_LENGTHS = ((1, 2, "one or two words"), (3, 5, "three to five words"), (6, 10**6, "six words or more"))


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the judged queries.

    Attributes:
        change: Their mean change of nDCG@10, weighed as the whole.
        error: Standard error of it.
    """

    name: str
    keys: list[str]
    changes: Doubles
    change: float
    error: float

    @property
    def margin(self) -> float:
        """How much it may lose."""
        return max(MARGIN, _ERRORS * self.error)


def check_slices(measured: Measurements) -> GateFinding | None:
    """Find whether any slice with enough queries loses more than its margin; the one that comes nearest is told."""
    slices = list(cut(measured.comparison, measured.surfaces))
    if not slices:
        return None
    worst = min(slices, key=lambda one: one.change + one.margin)
    return GateFinding(
        f"mean change of {len(worst.keys)} queries",
        worst.change,
        "above",
        -worst.margin,
        f"worse on queries {worst.name}",
        name_worst(worst.keys, worst.changes),
    )


def cut(found: Comparison, surfaces: Mapping[str, str]) -> Iterator[Slice]:
    """Yield the slices that have enough queries: by how often they are asked, length, surface and script."""
    keys = found.keys
    often = _asked_often(found.lists)
    names = [
        (
            "that are asked often" if frequent else "that are asked seldom",
            f"of {_length(key)}",
            f"asked on {surfaces.get(key, '')!r}" if surfaces.get(key) else "",
            f"in {_script(key)} letters",
        )
        for key, frequent in zip(keys, often.tolist(), strict=True)
    ]
    for name in sorted({name for told in names for name in told if name}):
        inside = np.array([name in told for told in names])
        if MIN_QUERIES <= inside.sum() < len(keys):
            yield _slice(found, name, inside)


def _slice(found: Comparison, name: str, inside: Flags) -> Slice:
    changes, weights = found.change[inside], found.weights[inside]
    mean = float(np.average(changes, weights=weights))
    error = float(np.sqrt((weights**2 * (changes - mean) ** 2).sum()) / weights.sum())
    keys = [key for key, kept in zip(found.keys, inside.tolist(), strict=True) if kept]
    return Slice(name, keys, changes, mean, error)


def _asked_often(lists: Doubles) -> Flags:
    """Return which queries are the head: those asked as often as the ones that together have half of all lists."""
    falling = -np.sort(-lists)
    return lists >= falling[np.searchsorted(np.cumsum(falling), lists.sum() / 2)] if len(lists) else lists > 0


def _length(key: str) -> str:
    words = len(key.split())
    return next(name for least, most, name in _LENGTHS if least <= words <= most or words < least)


def _script(key: str) -> str:
    return next((script_of(letter).capitalize() for letter in key if letter.isalpha()), "no")
