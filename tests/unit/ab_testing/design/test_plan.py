"""A plan names what is wrong with it; an experiment's salts follow its starts."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ab_testing.design.plan import Experiment, ExperimentPlan
from foundation.errors import InvalidRequest

NOW = datetime(2026, 1, 5, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "name": "new adapter",
    "kind": "ab",
    "control": "v-1",
    "treatment": "v-2",
    "planned_searches": 4000,
    "min_days": 7.0,
    "max_days": 14.0,
}


def make(**changes: Any) -> ExperimentPlan:
    return ExperimentPlan(**VALUES | changes)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "tab\tinside"),
        ("name", "x" * 201),
        ("name", "\ud800"),
        ("kind", "bandit"),
        ("control", "  "),
        ("treatment", "v" * 65),
        ("coverage", 0.0),
        ("coverage", 1.01),
        ("coverage", math.nan),
        ("planned_searches", 0),
        ("min_days", -1.0),
        ("max_days", 6.9),
        ("max_days", math.inf),
        ("alpha", 0.0),
        ("alpha", 0.5),
    ],
)
def test_a_wrong_value_is_named(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match=field) as refusal:
        make(**{field: value})
    assert [fault.field for fault in refusal.value.fields] == [field]


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        make(name="", coverage=2.0)
    assert [fault.field for fault in refusal.value.fields] == ["name", "coverage"]


def test_a_version_may_meet_itself_in_an_a_a_test_only() -> None:
    assert make(treatment="v-1").arms == ("control", "treatment")
    with pytest.raises(InvalidRequest, match="two different versions"):
        make(kind="interleaving", treatment="v-1")


def test_interleaving_has_one_arm() -> None:
    assert make(kind="interleaving").arms == ("interleaved",)


def test_a_plan_survives_json() -> None:
    assert ExperimentPlan(**make().to_json()) == make()


def test_a_restart_splits_anew_among_the_same_units() -> None:
    first = Experiment("default", "e", make(), "running", 1, NOW)
    second = replace(first, starts=2)
    assert first.traffic_salt == second.traffic_salt
    assert len({first.split_salt, second.split_salt, first.coin_salt, second.coin_salt, first.traffic_salt}) == 5


def test_days_count_from_the_start_to_the_end() -> None:
    draft = Experiment("default", "e", make(), "draft", 0, NOW)
    started = replace(draft, started_at=NOW)
    ended = replace(started, ended_at=NOW + timedelta(days=3))
    later = NOW + timedelta(days=4, hours=12)
    assert (draft.days(later), started.days(later), ended.days(later)) == (0.0, 4.5, 3.0)
