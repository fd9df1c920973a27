"""Where the marks of a confidence interval lie on a line around zero."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH = 400.0
_MARGIN = 10.0


@dataclass(frozen=True, slots=True)
class Drawing:
    """Places in pixels from the left of a drawing `WIDTH` wide; no effect lies at `zero`, the middle."""

    low: float
    estimate: float
    high: float
    zero: float


def draw_interval(low: float, estimate: float, high: float) -> Drawing:
    """Return where to draw an effect and its interval; the scale is as wide as the interval's far end."""
    reach = max(abs(low), abs(high), abs(estimate)) or 1.0
    half = WIDTH / 2

    def place(value: float) -> float:
        return round(half + value / reach * (half - _MARGIN), 1)

    return Drawing(place(low), place(estimate), place(high), half)
