"""Which metrics an app may define, and how a plan takes them."""

from dataclasses import replace
from typing import Any

import pytest

from ab_testing.design.metric import MetricDefinition
from ab_testing.design.plan import ExperimentPlan
from ab_testing.own_metrics.definitions import MAX_EVENTS, MAX_METRICS, check_definitions, with_definitions
from collector.api import SIGNALS
from foundation.errors import InvalidRequest

WISHES = MetricDefinition("Wishes for each search.", ("wish.events",), higher_is_better=True, margin=0.01)


def plan(**values: Any) -> ExperimentPlan:
    sizes: dict[str, Any] = {"planned_searches": 4000, "min_days": 7.0, "max_days": 14.0}
    return ExperimentPlan(name="test", kind=values.pop("kind", "ab"), control="v-1", treatment="v-2", **sizes | values)


def test_ratios_of_base_signals_and_of_custom_events_may_be_defined() -> None:
    check_definitions(
        {
            "wishes": WISHES,
            "worth": replace(WISHES, numerator=("wish.value", "call.value"), denominator=("wish.events",), capped=True),
            "deep_clicks": replace(WISHES, numerator=("clicks",), denominator=("clicked",), higher_is_better=None),
        }
    )


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("Wishes", {}, "name"),
        ("w" * 49, {}, "name"),
        ("csat", {}, "name"),
        ("wishes", {"sentence": " "}, "sentence"),
        ("wishes", {"sentence": "w" * 301}, "sentence"),
        ("wishes", {"role": "goal"}, "role"),
        ("wishes", {"margin": 0.0}, "margin"),
        ("wishes", {"margin": float("nan")}, "margin"),
        ("wishes", {"window_days": -1}, "window_days"),
        ("wishes", {"window_days": 31}, "window_days"),
        ("wishes", {"numerator": ()}, "numerator"),
        ("wishes", {"numerator": ("clicked", "clicked")}, "numerator"),
        ("wishes", {"numerator": ("clicked", "clicks", "rated", "ratings", "resolved")}, "numerator"),
        ("wishes", {"numerator": ("wins",)}, "numerator"),
        ("wishes", {"numerator": ("wish.sum",)}, "numerator"),
        ("wishes", {"numerator": ("Wish.events",)}, "numerator"),
        ("wishes", {"denominator": ("revenue", "searches")}, "denominator"),
    ],
)
def test_what_is_wrong_with_a_definition_is_named(name: str, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_definitions({name: replace(WISHES, **changes)})
    assert [fault.field for fault in refused.value.fields] == [field]


def test_metrics_and_events_of_a_collection_are_few() -> None:
    some = {f"m{number}": WISHES for number in range(MAX_METRICS)}
    check_definitions(some)
    with pytest.raises(InvalidRequest, match=f"{MAX_METRICS} at most"):
        check_definitions(some | {"more": WISHES})
    terms = [f"e{number}.events" for number in range(MAX_EVENTS + 1)]
    counting = {f"m{at}": replace(WISHES, numerator=tuple(terms[at : at + 3])) for at in range(0, len(terms), 3)}
    with pytest.raises(InvalidRequest, match=f"{MAX_EVENTS} at most"):
        check_definitions(counting)


def test_a_metric_shows_money_in_money_and_counts_as_they_are() -> None:
    assert WISHES.to_metric("wishes").scale == 1
    assert replace(WISHES, numerator=("wish.value",)).to_metric("worth").scale == 1e-6
    assert replace(WISHES, numerator=("revenue",), denominator=("wish.value",)).to_metric("share").scale == 1
    assert WISHES.events == {"wish"}
    assert "searches" in SIGNALS


def test_a_plan_holds_the_definitions_of_its_day_in_its_hash() -> None:
    bare, whole = plan(), with_definitions(plan(), {"wishes": WISHES})
    other = with_definitions(plan(), {"wishes": replace(WISHES, numerator=("wish.searches",))})
    assert len({bare.hash, whole.hash, other.hash}) == 3
    assert "definitions" not in bare.to_json(), "plans of earlier releases keep their hashes"
    assert ExperimentPlan.from_json(whole.to_json()) == whole
    assert with_definitions(whole, {"wishes": WISHES}) == whole
    assert with_definitions(other, {"wishes": WISHES}) == other, "what a plan gives itself comes first"
    assert with_definitions(plan(kind="interleaving"), {"wishes": WISHES}).definitions == {}
