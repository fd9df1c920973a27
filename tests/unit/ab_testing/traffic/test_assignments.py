"""Searches find their arm: one experiment each, the same arm before and after log-in, forced arms for testers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ab_testing.design.arm import CHAMPION, Arm
from ab_testing.design.assignment import Visitor
from ab_testing.design.experiment import Experiment
from ab_testing.design.plan import ExperimentPlan, RampStep
from ab_testing.traffic import first_arms
from ab_testing.traffic.assignments import Assignments
from foundation.clock import FrozenClock
from foundation.errors import InvalidRequest

START = datetime(2026, 11, 1, tzinfo=UTC)
PEOPLE = [f"person-{number}" for number in range(400)]


def running(id_: str = "e", *, slots_from: float = 0.0, run: int = 1, **plan: Any) -> Experiment:
    short = {} if "arms" in plan else {"control": "v-1", "treatment": "v-2"}
    values: dict[str, Any] = {"planned_searches": 10, "min_days": 0, "max_days": 9, **short, "kind": "ab"} | plan
    made = ExperimentPlan(name="n", **values)
    return Experiment("shop", id_, made, "running", run, START, started_at=START, slots_from=slots_from)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(START)


def serve(clock: FrozenClock, *experiments: Experiment) -> Assignments:
    assignments = Assignments(sa.create_engine("sqlite://"), clock)
    assignments.replace(experiments)
    return assignments


def arms(assignments: Assignments, *visitors: Visitor) -> list[str]:
    found = [assignments.assign("shop", visitor) for visitor in visitors]
    return [one.arm if one else "" for one in found]


def test_nobody_takes_part_where_nothing_runs(clock: FrozenClock) -> None:
    assert serve(clock).assign("shop", Visitor(user="ann")) is None
    assert serve(clock, running()).assign("another", Visitor(user="ann")) is None


def test_an_exposure_names_its_run_and_its_plan(clock: FrozenClock) -> None:
    experiment = running(run=3)
    given = serve(clock, experiment).assign("shop", Visitor(user="ann", session="s"))
    assert given is not None
    assert (given.experiment, given.run, given.plan_hash, given.unit) == ("e", 3, experiment.plan.hash, "ann")


def test_a_search_that_does_not_name_its_unit_takes_no_part(clock: FrozenClock) -> None:
    nameless = [Visitor(query=f"q-{number}") for number in range(80)]
    assert set(arms(serve(clock, running()), *nameless)) == {""}
    assert set(arms(serve(clock, running(unit="conversation")), Visitor(user="ann", session="s"))) == {""}
    assert set(arms(serve(clock, running(unit="query")), *nameless)) == {"control", "treatment"}


@pytest.mark.parametrize("unit", ["user", "session", "query"])
def test_the_next_page_of_one_search_continues_its_draft(clock: FrozenClock, unit: str) -> None:
    experiment = running(kind="interleaving", unit=unit)
    page = Visitor(session="visit", query="q-1")
    [first, later, restarted] = [
        one.assign("shop", page, "print") for one in (*[serve(clock, experiment)] * 2, serve(clock, experiment))
    ]
    assert first is not None
    assert first == later == restarted
    another = serve(clock, experiment).assign("shop", Visitor(session="visit", query="q-2"), "save")
    assert another is not None
    assert another.seed != first.seed


def test_an_interleaving_takes_no_search_whose_list_is_shown_otherwise(clock: FrozenClock) -> None:
    beside = running("beside", slots_from=0.5, coverage=0.5)
    assignments = serve(clock, running(kind="interleaving", coverage=0.5), beside)
    found = [assignments.assign("shop", Visitor(user=one), interleaves=False) for one in PEOPLE]
    assert {one.experiment for one in found if one} == {"beside"}
    assert assignments.assign("shop", Visitor(user=PEOPLE[found.index(None)])) is not None


def test_at_log_in_a_person_keeps_the_arm_of_the_nameless_visit(clock: FrozenClock) -> None:
    assignments = serve(clock, running())
    before = arms(assignments, *(Visitor(session=f"visit-{one}") for one in PEOPLE))
    during = arms(assignments, *(Visitor(user=one, session=f"visit-{one}") for one in PEOPLE))
    after = arms(assignments, *(Visitor(user=one, session=f"later-{one}") for one in PEOPLE))
    nowhere = arms(assignments, *(Visitor(user=one) for one in PEOPLE))
    assert before == during == after == nowhere
    assert set(before) == {"control", "treatment"}


def test_a_user_who_was_known_first_never_changes_arm(clock: FrozenClock) -> None:
    assignments = serve(clock, running())
    known = arms(assignments, *(Visitor(user=one) for one in PEOPLE))
    assert arms(assignments, *(Visitor(session=f"visit-{one}") for one in PEOPLE)) != known
    assert arms(assignments, *(Visitor(user=one, session=f"visit-{one}") for one in PEOPLE)) == known


def test_a_new_run_remembers_no_arm_of_the_last_one(clock: FrozenClock) -> None:
    assignments = serve(clock, running())
    arms(assignments, *(Visitor(session=one) for one in PEOPLE))
    assignments.replace([running(run=2)])
    fresh = serve(clock, running(run=2))
    visitors = [Visitor(user=f"u-{one}", session=one) for one in PEOPLE]
    assert arms(assignments, *visitors) == arms(fresh, *visitors)


def test_first_arms_are_bounded(clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_arms, "MAX_KEPT_ARMS", 3)
    assignments = serve(clock, running())
    arms(assignments, *(Visitor(session=one) for one in PEOPLE))
    assert len(assignments._first_arms._kept) == 3


def test_a_ramp_takes_more_people_and_moves_none(clock: FrozenClock) -> None:
    steps = (RampStep(0, 0.01), RampStep(1, 0.05), RampStep(2, 0.25), RampStep(3, 0.5))
    experiment = running(ramp=steps, coverage=0.5)
    seen: dict[str, str] = {}
    sizes = []
    for day in range(4):
        assignments = serve(FrozenClock(START + timedelta(days=day)), experiment)
        inside = {one: arm for one in PEOPLE if (arm := arms(assignments, Visitor(user=one))[0])}
        assert seen.items() <= inside.items()
        seen = inside
        sizes.append(len(inside) / len(PEOPLE))
    assert sizes == pytest.approx([0.01, 0.05, 0.25, 0.5], abs=0.06)


def test_experiments_at_once_share_no_unit(clock: FrozenClock) -> None:
    one, other = running("a", coverage=0.3), running("b", coverage=0.5, slots_from=0.3)
    both = serve(clock, one, other)
    given = [both.assign("shop", Visitor(user=person)) for person in PEOPLE]
    assert [one.experiment for one in given if one].count("a") / len(PEOPLE) == pytest.approx(0.3, abs=0.06)
    assert [one.experiment for one in given if one].count("b") / len(PEOPLE) == pytest.approx(0.5, abs=0.1)
    alone = serve(clock, one)
    for person, assignment in zip(PEOPLE, given, strict=True):
        if assignment and assignment.experiment == "a":
            assert alone.assign("shop", Visitor(user=person)) == assignment


def test_a_plan_for_one_surface_leaves_the_others_alone(clock: FrozenClock) -> None:
    assignments = serve(clock, running(surfaces=("agent",), attributes={"tier": ["pro"]}))
    pro = {"tier": "pro"}
    assert arms(assignments, Visitor(user="ann", attributes=pro), Visitor(user="ann", surface="agent")) == ["", ""]
    assert arms(assignments, Visitor(user="ann", surface="agent", attributes=pro)) != [""]


def test_replicas_hold_the_versions_of_every_running_experiment(clock: FrozenClock) -> None:
    listed = (Arm("base", CHAMPION), Arm("new", "v-3"))
    assignments = serve(clock, running("a"), running("b", arms=listed))
    assert assignments.versions("shop") == {"v-1", "v-2", "v-3"}
    assert assignments.versions("another") == set()


def test_a_tester_gets_the_arm_that_is_asked_for(clock: FrozenClock) -> None:
    assignments = serve(clock, running("a"), running("b", kind="interleaving"))
    forced = assignments.force("shop", "a:treatment", Visitor(query="q"))
    assert (forced.arm, forced.arms[0].version, forced.forced) == ("treatment", "v-2", True)
    alone = assignments.force("shop", "b:control", Visitor(query="q"))
    assert (alone.kind, alone.arms[0].version) == ("ab", "v-1")
    assert len(assignments.force("shop", "b:interleaved", Visitor(query="q")).arms) == 2


@pytest.mark.parametrize("wanted", ["", "a", "a:", "a:best", "b:control"])
def test_an_arm_that_cannot_be_served_is_refused(clock: FrozenClock, wanted: str) -> None:
    assignments = serve(clock, running("a", arms=(Arm("control", "v-1"), Arm("theirs", "v-2"))))
    with pytest.raises(InvalidRequest) as refused:
        assignments.force("shop", wanted, Visitor(query="q"))
    assert [fault.field for fault in refused.value.fields] == ["arm"]
