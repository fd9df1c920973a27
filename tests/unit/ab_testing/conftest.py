"""Factories of what is counted in an experiment."""

from collections.abc import Callable
from typing import Any

import pytest

from ab_testing.decide.verdict import Facts
from ab_testing.design.plan import ExperimentPlan
from ab_testing.stats.arm import ArmStatistics
from ab_testing.stats.ratio import RatioStatistics


def _arm(units: int, click_rate: float, searches_each: int = 4) -> ArmStatistics:
    """Units that click in all of their searches or in none, the noisiest that users can be."""
    clicking = round(units * click_rate)
    x = [searches_each] * clicking + [0] * (units - clicking)
    return ArmStatistics(RatioStatistics.of(x, [searches_each] * units), clicks=sum(x))


def _plan(values: dict[str, Any]) -> ExperimentPlan:
    defaults: dict[str, Any] = {"kind": "ab", "planned_searches": 4000, "min_days": 7.0, "max_days": 14.0}
    return ExperimentPlan(name="test", control="v-1", treatment="v-2", **defaults | values)


@pytest.fixture
def make_ab() -> Callable[..., Facts]:
    """Makes the facts of an A/B test from its click rates."""

    def make(
        control: float, treatment: float, units: tuple[int, int] = (400, 400), days: float = 8.0, **plan: Any
    ) -> Facts:
        return Facts(_plan(plan), days, {"control": _arm(units[0], control), "treatment": _arm(units[1], treatment)})

    return make


@pytest.fixture
def make_interleaving() -> Callable[..., Facts]:
    """Makes the facts of an interleaving experiment, one search per unit, from how they ended."""

    def make(wins: int, losses: int, ties: int = 100, days: float = 8.0, **plan: Any) -> Facts:
        outcomes = [1] * wins + [-1] * losses + [0] * ties
        preference = RatioStatistics.of(outcomes, [1] * len(outcomes))
        clicks = RatioStatistics.of([abs(outcome) for outcome in outcomes], [1] * len(outcomes))
        arm = ArmStatistics(clicks, wins + losses, preference, wins, losses, ties)
        return Facts(_plan({"kind": "interleaving"} | plan), days, {"interleaved": arm})

    return make
