"""The file of metrics, and which of them a plan may use."""

from typing import Any

import pytest

from ab_testing.design.plan import ExperimentPlan, Guardrail
from ab_testing.metrics.choice import check_metrics, guardrails_of, metrics_of
from ab_testing.metrics.metrics import METRICS
from foundation.errors import InvalidRequest


def plan(**values: Any) -> ExperimentPlan:
    defaults: dict[str, Any] = {"kind": "ab", "planned_searches": 4000, "min_days": 7.0, "max_days": 14.0}
    return ExperimentPlan(name="test", control="v-1", treatment="v-2", **defaults | values)


def test_every_metric_can_be_explained_and_measured() -> None:
    for name, metric in METRICS.items():
        assert name == metric.name
        assert metric.sentence.endswith(".")
        assert metric.margin > 0
        assert bool(metric.numerator) == bool(metric.denominator) == (metric.quantile is None)


def test_an_ab_test_guards_latency_and_empty_answers_unless_it_says_otherwise() -> None:
    usual = (Guardrail("p95_latency", 0.10), Guardrail("zero_result_rate", 0.01))
    assert guardrails_of(plan()) == usual
    assert guardrails_of(plan(success=("csat",))) == (*usual, Guardrail("rating_response_rate", 0.05))
    assert guardrails_of(plan(guardrails=(Guardrail("abandonment"),))) == (Guardrail("abandonment", 0.02),)
    assert guardrails_of(plan(guardrails=(Guardrail("csat", 0.3),))) == (Guardrail("csat", 0.3),)
    assert guardrails_of(plan(kind="interleaving")) == ()


def test_a_metric_that_is_both_counts_once() -> None:
    both = plan(success=("click_rate", "csat"), guardrails=(Guardrail("csat"), Guardrail("abandonment")))
    assert metrics_of(both) == ("click_rate", "csat", "abandonment")


@pytest.mark.parametrize(
    ("values", "place", "reason"),
    [
        ({"success": ("clicks",)}, "success", "name 'clicks'; known metrics are abandonment"),
        ({"guardrails": (Guardrail("speed"),)}, "guardrails", "name 'speed'"),
        ({"success": ("csat", "csat")}, "success", "twice"),
        ({"guardrails": (Guardrail("csat", 0.0),)}, "guardrails", "above 0"),
        ({"guardrails": (Guardrail("csat", float("nan")),)}, "guardrails", "above 0"),
        ({"success": ("rating_response_rate",)}, "success", "stay as it is"),
        ({"success": ("preference",)}, "success", "only interleaving"),
        ({"kind": "interleaving", "success": ("csat",)}, "success", "preference alone"),
        ({"kind": "interleaving", "guardrails": (Guardrail("p95_latency"),)}, "success", "preference alone"),
    ],
)
def test_a_plan_with_wrong_metrics_is_refused(values: dict[str, Any], place: str, reason: str) -> None:
    with pytest.raises(InvalidRequest, match="metrics are not valid") as refused:
        check_metrics(plan(**values))
    assert any(fault.field == place and reason in fault.reason for fault in refused.value.fields)


def test_good_plans_pass() -> None:
    check_metrics(plan())
    check_metrics(plan(kind="interleaving"))
    check_metrics(plan(success=("click_rate", "csat"), guardrails=(Guardrail("resolution", 0.05),)))
