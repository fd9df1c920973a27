"""A plan names what is wrong with it, and has one form however it was written."""

import math
from typing import Any

import pytest

from ab_testing.design.arm import Arm, ArmSettings
from ab_testing.design.plan import ExperimentPlan, Guardrail, RampStep
from foundation.errors import InvalidRequest

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
        ("window_days", -1),
        ("window_days", 14),
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
    assert make(treatment="v-1").arm_names == ("control", "treatment")
    with pytest.raises(InvalidRequest, match="different rankings"):
        make(kind="interleaving", treatment="v-1")


def test_interleaving_has_one_arm() -> None:
    assert make(kind="interleaving").arm_names == ("interleaved",)


def test_interleaving_takes_three_rankings_at_most() -> None:
    arms = tuple(Arm(f"a{number}", f"v-{number}") for number in range(4))
    three = make(kind="interleaving", arms=arms[:3])
    assert three.arm_names == ("interleaved",)
    assert [three.preference_of(arm.name) for arm in three.arms[1:]] == ["a1", "a2"]
    assert make(kind="interleaving").preference_of("treatment") == "interleaved"
    with pytest.raises(InvalidRequest, match="interleaving 2 or 3"):
        make(kind="interleaving", arms=arms)


def test_a_plan_survives_json() -> None:
    assert ExperimentPlan.from_json(make().to_json()) == make()


def test_the_short_form_and_the_list_of_arms_are_one_plan() -> None:
    listed = make(control="", treatment="", arms=(Arm("control", "v-1"), Arm("treatment", "v-2")))
    assert listed == make()
    assert listed.hash == make().hash
    assert (listed.control, listed.treatment) == ("v-1", "v-2")


def test_a_plan_of_many_arms_survives_json() -> None:
    arms = (Arm("now", "champion"), Arm("bare", "champion", ArmSettings(rerank=False)), Arm("next", "v-2", weight=0.5))
    plan = make(
        arms=arms, ramp=(RampStep(0, 0.01), RampStep(1, 0.5)), guardrails=(Guardrail("p95_latency", 0.1),), unit="query"
    )
    assert ExperimentPlan.from_json(plan.to_json()) == plan
    assert sum(plan.shares) == pytest.approx(1)


def test_a_plan_of_an_older_release_is_read() -> None:
    value = VALUES | {"coverage": 0.5, "alpha": 0.05}
    assert ExperimentPlan.from_json(value) == make(coverage=0.5)


def test_every_other_word_is_another_hash() -> None:
    assert len({make().hash, make(alpha=0.01).hash, make(unit="session").hash, make(evidence="shared").hash}) == 4


@pytest.mark.parametrize(
    "arms",
    [
        (Arm("only", "v-1"),),
        (Arm("a", "v-1"), Arm("a", "v-2")),
        (Arm("a", "v-1"), Arm("interleaved", "v-2")),
        (Arm("a", "v-1"), Arm("b", "v-2", weight=0)),
        (Arm("a", "v-1"), Arm("", "v-2")),
    ],
)
def test_wrong_arms_are_refused(arms: tuple[Arm, ...]) -> None:
    with pytest.raises(InvalidRequest, match="arms"):
        make(control="", treatment="", arms=arms)


def test_coverage_grows_by_its_steps_and_no_further_than_planned() -> None:
    plan = make(coverage=0.5, ramp=(RampStep(0, 0.01), RampStep(1, 0.25), RampStep(2, 0.9)))
    assert [plan.coverage_after(days) for days in (0, 0.9, 1, 1.5, 2, 9)] == [0.01, 0.01, 0.25, 0.25, 0.5, 0.5]
    assert make().coverage_after(0) == 1.0


@pytest.mark.parametrize("steps", [[(1, 0.5), (0, 0.1)], [(0, 0.5), (0, 0.9)], [(0, 0.5), (1, 0.2)], [(0, 0.0)]])
def test_a_ramp_only_grows(steps: list[tuple[float, float]]) -> None:
    with pytest.raises(InvalidRequest, match="ramp"):
        make(ramp=tuple(RampStep(*step) for step in steps))


def test_an_arm_is_a_version_or_an_engine_outside() -> None:
    outside = Arm("solr", engine="solr 9")
    plan = make(control="", treatment="", arms=(Arm("control", "champion"), outside))
    assert ExperimentPlan.from_json(plan.to_json()) == plan
    assert plan.versions == {"champion"}
    for wrong in (
        Arm("solr", "v-1", engine="solr"),
        Arm("solr", engine=" "),
        Arm("solr", "", ArmSettings(rerank=True)),
    ):
        with pytest.raises(InvalidRequest, match="arms"):
            make(control="", treatment="", arms=(Arm("control", "champion"), wrong))
    with pytest.raises(InvalidRequest, match="cannot be interleaved"):
        make(kind="interleaving", control="", treatment="", arms=(Arm("control", "champion"), outside))


def test_an_app_that_assigns_takes_an_a_b_test_of_all_units() -> None:
    assert make(assigned_by="app").hash != make().hash
    for change in ({"kind": "interleaving"}, {"coverage": 0.5}, {"ramp": (RampStep(0, 0.1),)}):
        with pytest.raises(InvalidRequest, match="assigned_by"):
            make(assigned_by="app", **change)


def test_what_came_later_leaves_the_hashes_of_earlier_plans_alone() -> None:
    stored = make().to_json()
    assert not {"definitions", "assigned_by", "window_days"} & stored.keys()
    assert all("engine" not in arm for arm in stored["arms"])


def test_the_hash_of_a_plan_for_a_gain_is_what_it_was() -> None:
    assert "aim" not in make().to_json()
    assert ExperimentPlan.from_json(make(aim="holdback").to_json()) == make(aim="holdback")
