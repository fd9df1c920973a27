"""Each arm by itself: its value of every metric, with an interval at the level of all the others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from ab_testing.decide.evidence import MIN_UNITS
from ab_testing.decide.levels import Levels, levels_of
from ab_testing.decide.look import Look
from ab_testing.design.plan import ExperimentPlan
from ab_testing.stats.ratio import Estimate


@dataclass(frozen=True, slots=True)
class ArmValue:
    """One metric in one arm."""

    metric: str = field(metadata={"description": "Name of the metric; see GET /v1/metrics."})
    arm: str = field(metadata={"description": "Name of the arm; interleaved where both sides share a list."})
    value: float | None = field(default=None, metadata={"description": "Its value; null with too few units."})
    low: float | None = field(default=None, metadata={"description": "Lower end of its interval."})
    high: float | None = field(default=None, metadata={"description": "Upper end of its interval."})
    confidence: float = field(default=0.0, metadata={"description": "As that of the effect's interval."})


def measure(plan: ExperimentPlan, look: Look, alpha: float | None = None) -> tuple[ArmValue, ...]:
    """Return every metric of the look in every arm, those of monitors too."""
    return tuple(_values(look, levels_of(plan, look, alpha)))


def _values(look: Look, levels: Levels) -> Iterator[ArmValue]:
    for name, arms in look.ratios.items():
        for arm, sums in arms.items():
            if sums.effective_units < MIN_UNITS:
                yield ArmValue(name, arm, confidence=levels.confidence)
                continue
            low, value, high = _interval(sums.estimate(), levels)
            yield ArmValue(name, arm, value, low, high, levels.confidence)
    for name, quantiles in look.quantiles.items():
        for arm, quantile in quantiles.items():
            low, value, high = (None if end is None else math.exp(end) for end in _interval(quantile.logarithm, levels))
            yield ArmValue(name, arm, value, low, high, levels.confidence)


def _interval(estimate: Estimate, levels: Levels) -> tuple[float | None, float | None, float | None]:
    half_width = levels.half_width(estimate)
    if not math.isfinite(half_width):
        return None, estimate.value, None
    return estimate.value - half_width, estimate.value, estimate.value + half_width
