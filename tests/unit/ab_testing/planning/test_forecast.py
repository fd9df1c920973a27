"""What is asked decides what is told: samples for an effect, the effect of a sample, or the power of both."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ab_testing.planning.forecast import USUAL_DAYS, ExperimentForecast, PlanningRequest, forecast
from ab_testing.planning.history import AssumedBaseline, assume
from foundation.errors import InvalidRequest

KNOWN = assume(AssumedBaseline(1000.0, {"click_rate": 0.3, "zero_result_rate": 0.05}))


def ask(**wanted: Any) -> ExperimentForecast:
    return forecast(PlanningRequest(**wanted), KNOWN)


def test_without_a_wish_usual_lengths_of_both_kinds_are_told() -> None:
    told = ask()
    assert [(one.kind, one.days) for one in told.samples] == [
        *(("ab", days) for days in USUAL_DAYS),
        *(("interleaving", days) for days in USUAL_DAYS),
    ]
    assert told.assumptions


def test_an_effect_takes_searches_and_these_find_it() -> None:
    [needed] = ask(metrics=("click_rate",), effect=0.02).samples
    assert needed.searches is not None
    [found] = ask(metrics=("click_rate",), searches=needed.searches).samples
    assert found.effect == pytest.approx(0.02, rel=1e-3)
    [chance] = ask(metrics=("click_rate",), effect=0.02, searches=needed.searches).samples
    assert chance.power == pytest.approx(0.8, abs=0.001)


def test_a_lift_is_a_share_of_the_present_value() -> None:
    [lift], [effect] = (ask(metrics=("click_rate",), **one).samples for one in ({"lift": 0.1}, {"effect": 0.03}))
    assert lift.searches == effect.searches
    assert lift.lift == pytest.approx(0.1)


def test_a_guardrail_is_planned_for_its_own_margin_one_sided() -> None:
    [guard] = ask(metrics=("zero_result_rate",), guard=True).samples
    [gain] = ask(metrics=("zero_result_rate",), effect=0.01).samples
    assert guard.effect == 0.01
    assert (guard.searches or math.inf) < (gain.searches or 0)


def test_what_was_never_measured_is_named() -> None:
    assert ask(metrics=("click_rate", "csat"), effect=0.1).unmeasured == ("csat",)


def test_more_arms_take_more_searches() -> None:
    sizes = [ask(metrics=("click_rate",), effect=0.02, arms=arms).samples[0].searches or 0 for arms in (2, 3, 5)]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"effect": 0.0}, "effect"),
        ({"effect": 0.1, "lift": 0.1}, "lift"),
        ({"power": 1.0}, "power"),
        ({"days": math.inf}, "days"),
        ({"searches": -1}, "searches"),
        ({"arms": 1}, "arms"),
        ({"kind": "split"}, "kind"),
        ({"coverage": math.nan}, "coverage"),
        ({"baseline": AssumedBaseline(0.0)}, "baseline.searches_a_day"),
        ({"baseline": AssumedBaseline(10.0, {"click_rate": 1.2})}, "baseline.values"),
    ],
)
def test_a_wish_that_cannot_be_names_its_field(wanted: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        PlanningRequest(**wanted)
    assert [fault.field for fault in refused.value.fields] == [field]


def test_a_metric_that_does_not_exist_is_named() -> None:
    with pytest.raises(InvalidRequest, match="'clicks'"):
        ask(metrics=("clicks",))


def test_a_kind_that_shows_no_such_metric_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="interleaving"):
        ask(kind="interleaving", metrics=("click_rate",))
