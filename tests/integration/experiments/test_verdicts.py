"""Experiments over the fold: searches and what their users did in, verdicts out."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest
import sqlalchemy as sa

from ab_testing.api import Assignments, Experiments, Visitor
from ab_testing.design.arm import Arm
from collector.quarantine.quarantine import Quarantine
from foundation.clock import FrozenClock
from tests.integration.experiments.conftest import SETTINGS, USERS, Search, Traffic, live, make_plan, started


def test_a_better_version_is_created_started_looked_at_and_promoted(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = started(experiments, assignments)

    seen = live(experiments, experiment, traffic, clock, {"control": 30, "treatment": 60})

    assert seen == ["continue"] * 5 + ["promote"]
    card = experiments.report("default", experiment)
    assert (card.experiment.state, card.days, card.searches) == ("decided", 3.0, 720)
    assert (card.verdict.decision, card.verdict.winner) == ("promote", "treatment")
    assert card.evidence.lift is not None
    assert card.evidence.lift > 0
    [decision] = experiments.decisions("default", experiment)
    assert (decision.verdict, decision.reason) == ("promote", card.verdict.reason)
    assert decision.effect == pytest.approx(0.3, abs=0.15), "the split is drawn anew for every experiment"
    assert (decision.run, decision.plan_hash, decision.change) == (1, card.experiment.plan.hash, card.change)
    [audited] = experiments.audit("default", experiment)
    assert audited.reproduced, audited.differences
    days = experiments.days("default", experiment)
    assert [(day.days, day.searches) for day in days] == [(0.5, 240), (1.5, 480), (2.5, 720), (3.0, 720)]


@pytest.mark.parametrize(("won", "verdict"), [(75, "promote"), (25, "rollback"), (50, "keep_control")])
def test_interleaving_decides_by_whose_results_are_clicked(
    experiments: Experiments,
    assignments: Assignments,
    traffic: Traffic,
    clock: FrozenClock,
    won: int,
    verdict: Literal["resolved", ""],
) -> None:
    experiment = started(experiments, assignments, kind="interleaving")

    seen = live(experiments, experiment, traffic, clock, {"treatment": won})

    card = experiments.report("default", experiment)
    assert seen[-1] == verdict
    [preference] = card.preferences
    assert preference.wins + preference.losses == card.searches
    assert preference.delta == pytest.approx((won - 50) / 100, abs=0.06)


def test_the_better_of_two_interleaved_treatments_is_promoted_and_can_be_audited(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    arms = (Arm("control", "v-1"), Arm("first", "v-2"), Arm("second", "v-3"))
    experiment = started(experiments, assignments, kind="interleaving", arms=arms, control="", treatment="")

    live(experiments, experiment, traffic, clock, {"treatment": 20, "treatment_2": 60})

    [decision] = experiments.decisions("default", experiment)
    assert (decision.verdict, decision.inputs["winner"]) == ("promote", "second")
    first, second = experiments.report("default", experiment).preferences
    assert (first.treatment, second.treatment) == ("first", "second")
    assert second.wins > 2 * second.losses
    assert first.ties > 0
    [audited] = experiments.audit("default", experiment)
    assert audited.reproduced, audited.differences


def test_broken_logging_of_one_arm_is_invalid(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = experiments.get("default", started(experiments, assignments))
    arms = ["control"] * 300 + ["treatment"] * 150
    traffic.take(experiment, [Search(f"q{n}", f"u{n}", arm, clock.now(), [1]) for n, arm in enumerate(arms)])

    card = experiments.look("default", experiment.id)

    assert card.verdict.decision == "invalid"
    assert card.sample_ratio is not None
    assert card.sample_ratio.mismatch


def test_a_look_sums_exactly_what_belongs_to_the_run(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    now = clock.now()
    experiment = experiments.get("default", started(experiments, assignments))
    mine = [
        Search("q1", "u1", "control", now, [1, 3]),
        Search("q2", "u1", "control", now + timedelta(minutes=5)),
        Search("q3", "u2", "control", now, [2]),
        Search("q4", "u3", "treatment", now, [1]),
    ]
    traffic.take(experiment, mine)
    traffic.take(replace(experiment, run=0), [Search("before", "u4", "control", now, [1])])
    traffic.take(replace(experiment, id="another"), [Search("other", "u6", "control", now, [1])])
    traffic.take(replace(experiment, collection="elsewhere"), [Search("elsewhere", "u7", "control", now, [1])])
    traffic.take(replace(experiment, id=""), [Search("champion", "u5", "champion", now, [1])])

    card = experiments.look("default", experiment.id)

    assert {arm.arm: (arm.units, arm.searches, arm.clicks) for arm in card.arms} == {
        "control": (2, 3, 3),
        "treatment": (1, 1, 1),
    }
    [rate] = [metric for metric in card.metrics if metric.name == "click_rate"]
    assert {arm: one.value for arm, one in rate.values.items()} == {"control": None, "treatment": None}, "too few units"


def test_a_late_click_moves_a_running_experiment_and_no_decision(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = experiments.get("default", started(experiments, assignments))
    searches = [
        Search(f"q{number}", f"u{number}", ("control", "treatment")[number % 2], clock.now()) for number in range(100)
    ]
    traffic.take(experiment, searches)
    traffic.fold([searches[0].event("default", "click", "d1")])
    assert {arm.arm: arm.clicks for arm in experiments.report("default", experiment.id).arms}["control"] == 1
    experiments.stop("default", experiment.id)
    before = experiments.report("default", experiment.id)

    traffic.fold(search.event("default", "click", "d2") for search in searches)

    assert experiments.report("default", experiment.id) == before
    [audited] = experiments.audit("default", experiment.id)
    assert audited.reproduced, audited.differences


@pytest.mark.parametrize(("metric", "rated", "verdict"), [("csat", 5, ""), ("resolution", 0, "resolved")])
def test_a_gain_in_satisfaction_or_resolution_is_found(
    experiments: Experiments,
    assignments: Assignments,
    traffic: Traffic,
    clock: FrozenClock,
    metric: str,
    rated: int,
    verdict: Literal["resolved", ""],
) -> None:
    plan: dict[str, Any] = {"success": (metric,), "planned_searches": 300, "min_days": 0.0, "recontact_days": 3.0}
    experiment = experiments.get("default", started(experiments, assignments, **plan))
    searches = []
    for number in range(400):
        arm = ("control", "treatment")[number % 2]
        good = number % 10 < (7 if arm == "treatment" else 3)
        searches.append(
            Search(
                f"q{number}",
                f"u{number}",
                arm,
                clock.now(),
                rated=rated if good or not rated else 2,
                verdict="" if not verdict else verdict if good else "unresolved",
            )
        )
    traffic.take(experiment, searches)
    clock.advance(timedelta(days=4, hours=1))

    card = experiments.look("default", experiment.id)

    assert card.verdict.decision == "promote", card.verdict.reason
    assert card.verdict.winner == "treatment"
    assert metric in card.verdict.reason


def test_a_request_counts_as_resolved_only_when_its_window_has_closed(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    plan: dict[str, Any] = {"success": ("resolution",), "recontact_days": 3.0}
    experiment = experiments.get("default", started(experiments, assignments, **plan))
    searches = [
        Search(f"q{n}", f"u{n}", ("control", "treatment")[n % 2], clock.now(), verdict="resolved") for n in range(60)
    ]
    traffic.take(experiment, searches)
    assert not experiments.report("default", experiment.id).evidence.measured
    clock.advance(timedelta(days=4))
    assert experiments.report("default", experiment.id).evidence.measured


def test_a_busy_user_neither_silences_nor_sways(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = experiments.get("default", started(experiments, assignments, planned_searches=100_000))
    now = clock.now()
    searches = [
        Search(f"q{n}", f"u{n % 200}", ("control", "treatment")[n % 2], now + timedelta(minutes=n // 200), [1][: n % 3])
        for n in range(1000)
    ]
    traffic.take(experiment, searches)
    before = experiments.report("default", experiment.id).evidence
    traffic.take(experiment, [Search(f"b{n}", "busy", "control", now + timedelta(minutes=n)) for n in range(400)])

    after = experiments.report("default", experiment.id).evidence

    assert before.estimate is not None
    assert after.estimate == pytest.approx(before.estimate, abs=0.03)


def test_units_in_two_arms_count_in_none_and_many_of_them_make_it_invalid(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = experiments.get("default", started(experiments, assignments))
    now = clock.now()
    traffic.take(experiment, [Search(f"q{n}", f"u{n}", ("control", "treatment")[n % 2], now) for n in range(200)])
    traffic.take(experiment, [Search("again", "u0", "treatment", now + timedelta(minutes=1))])
    card = experiments.report("default", experiment.id)
    assert card.sample_ratio is not None
    assert (card.sample_ratio.mixed, card.sample_ratio.units["control"]) == (1, 99)

    traffic.take(
        experiment, [Search(f"more{n}", f"u{2 * n}", "treatment", now + timedelta(minutes=2)) for n in range(1, 12)]
    )

    card = experiments.look("default", experiment.id)
    assert card.verdict.decision == "invalid"
    assert "more than one arm" in card.verdict.reason


def test_interleaved_searches_of_one_unit_flip_different_coins(
    experiments: Experiments, assignments: Assignments
) -> None:
    started(experiments, assignments, kind="interleaving")
    given = [assignments.assign("default", Visitor(user="user"), f"query {number}") for number in range(40)]
    assert all(one is not None and one.arm == "interleaved" for one in given)
    assert len({one.seed for one in given if one}) == 40
    assert assignments.assign("default", Visitor(user="user"), "query 1") == given[1]
    assert assignments.versions("default") == {"v-1", "v-2"}


def test_users_in_quarantine_count_in_no_arm_and_an_audit_knows_when(
    any_engine: sa.Engine, experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = started(experiments, assignments)
    traffic.day(clock.now(), {"control": 30, "treatment": 60})
    before = experiments.report("default", experiment)
    Quarantine(any_engine, SETTINGS, clock).hold("default", USERS[0])
    stopped = experiments.stop("default", experiment)
    Quarantine(any_engine, SETTINGS, clock).hold("default", USERS[1])

    after = experiments.report("default", experiment)

    assert (before.searches, after.searches) == (len(USERS), len(USERS) - 1)
    [audited] = experiments.audit("default", stopped.id)
    assert audited.reproduced, audited.differences


def test_a_unit_counts_once_in_the_segments_of_the_split(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = experiments.get("default", started(experiments, assignments))
    now = clock.now()
    for number, surface in enumerate(("page", "agent", "context")):
        searches = [
            Search(
                f"{surface}{n}",
                f"u{n}",
                ("control", "treatment")[n % 2],
                now + timedelta(hours=number),
                more={"surface": surface},
            )
            for n in range(40)
        ]
        traffic.take(experiment, searches)
    look = experiments.report("default", experiment.id).verdict.inputs["look"]
    assert look["splits"] == {
        "surface agent": {"control": 20, "treatment": 20},
        "named users": {"control": 20, "treatment": 20},
    }


def test_shared_evidence_shows_the_effect_with_and_without_it(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = experiments.get("default", started(experiments, assignments, evidence="shared"))
    for had, shares in ((True, {"control": 5, "treatment": 5}), (False, {"control": 2, "treatment": 8})):
        searches = []
        for number in range(200):
            arm = ("control", "treatment")[number % 2]
            clicked = [1] if number // 2 % 10 < shares[arm] else []
            place = f"{had}-{number}"
            searches.append(Search(place, f"u{number}", arm, clock.now(), clicked, more={"had_evidence": had}))
        traffic.take(experiment, searches)

    experiments.stop("default", experiment.id)
    card = experiments.report("default", experiment.id)

    effects = {one.name: {each.metric: each.estimate for each in one.evidence} for one in card.strata}
    assert effects["with_evidence"]["click_rate"] == pytest.approx(0.0)
    assert effects["without_evidence"]["click_rate"] == pytest.approx(0.6)
    [audited] = experiments.audit("default", experiment.id)
    assert audited.reproduced, audited.differences
    pinned = experiments.create("elsewhere", make_plan())
    assert experiments.report("elsewhere", pinned.id).strata == ()
