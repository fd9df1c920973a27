"""Bars of simulated experiments: a figure, its bound, and how sure the simulation is of it."""

from __future__ import annotations

import math
from typing import Any

Bar = dict[str, Any]


def share_bar(name: str, what: str, share: float, runs: int, bound: float) -> Bar:
    """Return the bar of a share that may not pass a bound."""
    error = math.sqrt(max(share * (1 - share), 1 / runs) / runs)
    return {
        "id": name,
        "what": f"{what}, of {runs} runs (Monte-Carlo error {error:.4f})",
        "value": round(share, 5),
        "bound": bound,
        "met": share <= bound,
    }


def least_bar(name: str, what: str, value: float, error: float, bound: float) -> Bar:
    """Return the bar of a figure that must reach a bound."""
    return {
        "id": name,
        "what": f"{what} (Monte-Carlo error {error:.4f})",
        "value": round(value, 5),
        "bound": bound,
        "met": value >= bound,
    }


def most_bar(name: str, what: str, value: float, error: float, bound: float) -> Bar:
    """Return the bar of a figure that may not pass a bound."""
    bar = least_bar(name, what, value, error, bound)
    return bar | {"met": value <= bound}
