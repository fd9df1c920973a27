"""Bars of simulated experiments: a figure, its bound, and how sure the simulation is of it.

A full run must hold the bound itself. A quick one knows its figures too roughly for that: it misses a bar only when the
figure lies beyond the bound by three Monte-Carlo errors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

Bar = dict[str, Any]

_QUICK_ERRORS = 3.0


class Figure(NamedTuple):
    """A simulated figure and its Monte-Carlo error."""

    value: float
    error: float


def share_of(found: Sequence[bool], runs: int | None = None) -> Figure:
    """Return the share of runs that found something.

    Args:
        runs: Independent runs among them, where there are fewer.
    """
    share, independent = sum(found) / len(found), runs or len(found)
    return Figure(share, math.sqrt(max(share * (1 - share), 1 / independent) / independent))


def mean_of(values: Sequence[float]) -> Figure:
    """Return the mean of independent runs."""
    return Figure(float(np.mean(values)), float(np.std(values)) / math.sqrt(len(values)))


def at_most(name: str, what: str, figure: Figure, *, bound: float, quick: bool) -> Bar:
    """Return the bar of a figure that may not pass a bound."""
    return _bar(name, what, figure, bound) | {"met": figure.value <= bound + quick * _QUICK_ERRORS * figure.error}


def at_least(name: str, what: str, figure: Figure, *, bound: float, quick: bool) -> Bar:
    """Return the bar of a figure that must reach a bound."""
    return _bar(name, what, figure, bound) | {"met": figure.value >= bound - quick * _QUICK_ERRORS * figure.error}


def _bar(name: str, what: str, figure: Figure, bound: float) -> Bar:
    told = f"{what} (Monte-Carlo error {figure.error:.4f})"
    return {"id": name, "what": told, "value": round(figure.value, 5), "bound": bound, "met": False}
