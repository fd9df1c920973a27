"""Where the marks of a report's charts lie, in pixels from the upper left (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from ab_testing.api import ExperimentDay, MetricEvidence, MetricReport

WIDTH = 640.0
HEIGHT = 240.0
ROW = 34.0
"""Height of a row of the forest."""

_MARGIN = 12.0
_WIDEST = 4.0
"""The forest's scale ends at so many times the middle row's reach; a longer row is cut there."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One look in the course: its place, and those of its interval's ends."""

    x: float
    low: float
    estimate: float
    high: float


@dataclass(frozen=True, slots=True)
class Course:
    """An effect with its confidence sequence over the searches.

    Attributes:
        band: Corners of the sequence, as the `points` of a polygon.
        zero: Height at which there is no effect.
        reach: The effect at the upper edge; at the lower one it is -reach.
    """

    moments: tuple[Moment, ...]
    band: str
    line: str
    zero: float
    reach: float
    searches: int


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One comparison: the change that it says, relative to the control, towards better on the right.

    Attributes:
        low: Place of the interval's lower end; cut at the drawing's edge, as `high` is.
    """

    metric: str
    treatment: str
    role: str
    y: float
    low: float
    estimate: float
    high: float


@dataclass(frozen=True, slots=True)
class Forest:
    """The measured metrics of a plan below each other, on one scale.

    Attributes:
        reach: The change at the right edge, as a share of the control, or of the searches for a preference.
    """

    rows: tuple[ForestRow, ...]
    zero: float
    reach: float
    height: float


def draw_course(days: Sequence[ExperimentDay]) -> Course | None:
    """Return the course of an effect; None while nothing is known of it."""
    known = [(day.searches, *ends) for day in days if (ends := _ends(day.evidence))]
    if not known:
        return None
    searches = max(1, *(one[0] for one in known))
    reach = max(max(abs(one[1]), abs(one[3])) for one in known) or 1.0

    def across(value: int) -> float:
        return round(_MARGIN + value / searches * (WIDTH - 2 * _MARGIN), 1)

    def down(value: float) -> float:
        return round(HEIGHT / 2 - value / reach * (HEIGHT / 2 - _MARGIN), 1)

    moments = tuple(Moment(across(n), down(low), down(middle), down(high)) for n, low, middle, high in known)
    edges = [*((one.x, one.high) for one in moments), *((one.x, one.low) for one in reversed(moments))]
    line = [(one.x, one.estimate) for one in moments]
    return Course(moments, _points(edges), _points(line), HEIGHT / 2, reach, searches)


def draw_forest(metrics: Iterable[MetricReport]) -> Forest | None:
    """Return every comparison of a plan that was measured; None where none was."""
    found = [(metric, one, ends) for metric in metrics for one in metric.evidence if (ends := _changes(metric, one))]
    if not found:
        return None
    reaches = [max(abs(ends[0]), abs(ends[2])) for _, _, ends in found]
    reach = min(max(reaches), _WIDEST * median(reaches)) or 1.0

    def across(value: float) -> float:
        cut = min(max(value / reach, -1.0), 1.0)
        return round(WIDTH / 2 + cut * (WIDTH / 2 - _MARGIN), 1)

    rows = tuple(
        ForestRow(
            one.metric,
            one.treatment,
            one.role,
            y=ROW * (place + 0.7),
            low=across(low),
            estimate=across(middle),
            high=across(high),
        )
        for place, (_, one, (low, middle, high)) in enumerate(found)
    )
    return Forest(rows, WIDTH / 2, reach, ROW * len(rows))


def _ends(one: MetricEvidence) -> tuple[float, float, float] | None:
    if one.estimate is None or one.low is None or one.high is None:
        return None
    return one.low, one.estimate, one.high


def _changes(metric: MetricReport, one: MetricEvidence) -> tuple[float, float, float] | None:
    """Return interval and estimate as changes towards better; None where they have no scale in common with others."""
    ends = _ends(one)
    if ends is None:
        return None
    if metric.logarithmic:
        ends = (math.expm1(ends[0]), math.expm1(ends[1]), math.expm1(ends[2]))
    elif one.control_value is not None:
        if one.control_value == 0:
            return None
        ends = (ends[0] / one.control_value, ends[1] / one.control_value, ends[2] / one.control_value)
    return (-ends[2], -ends[1], -ends[0]) if metric.higher_is_better is False else ends


def _points(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in places)
