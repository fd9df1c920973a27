"""Experiments over SQL: impressions in, verdicts out."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from ab_testing import store
from ab_testing.api import Assignments, Experiments, Visitor
from ab_testing.decide.verdict import Facts, judge
from ab_testing.tables import experiment_days
from collector.tables import impressions, quarantine
from foundation.clock import FrozenClock
from foundation.database.engine import transaction
from tests.integration.experiments.conftest import USERS, Traffic, impression, live, started


def test_a_better_version_is_created_started_looked_at_and_promoted(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = started(experiments, assignments)

    seen = live(experiments, experiment, traffic, clock, {"control": 30, "treatment": 60})

    assert seen == ["continue"] * 5 + ["promote"]
    card = experiments.report("default", experiment)
    assert (card.experiment.state, card.days, card.searches) == ("decided", 3.0, 720)
    assert card.verdict.decision == "promote"
    assert card.lift is not None
    assert card.lift.low > 0
    [decision] = experiments.decisions("default", experiment)
    assert (decision.verdict, decision.reason) == ("promote", card.verdict.reason)
    assert decision.effect == pytest.approx(0.3, abs=0.05)
    assert judge(Facts.from_json(decision.inputs)) == card.verdict
    days = experiments.days("default", experiment)
    assert [(day.days, day.searches) for day in days] == [(0.5, 240), (1.5, 480), (2.5, 720), (3.0, 720)]


@pytest.mark.parametrize(("won", "verdict"), [(75, "promote"), (25, "rollback"), (50, "keep_control")])
def test_interleaving_decides_by_whose_results_are_clicked(
    experiments: Experiments,
    assignments: Assignments,
    traffic: Traffic,
    clock: FrozenClock,
    won: int,
    verdict: str,
) -> None:
    experiment = started(experiments, assignments, kind="interleaving")

    seen = live(experiments, experiment, traffic, clock, {"treatment": won})

    card = experiments.report("default", experiment)
    assert seen[-1] == verdict
    assert card.preference is not None
    assert card.preference.wins + card.preference.losses == card.searches
    assert card.preference.delta == pytest.approx((won - 50) / 100, abs=0.06)


def test_broken_logging_of_one_arm_is_invalid(
    experiments: Experiments, assignments: Assignments, any_engine: sa.Engine, clock: FrozenClock
) -> None:
    experiment = started(experiments, assignments)
    arms = ["control"] * 300 + ["treatment"] * 150
    rows = [impression(f"q{n}", f"u{n}", experiment, arm, clock.now(), [1], [""]) for n, arm in enumerate(arms)]
    with transaction(any_engine) as connection:
        connection.execute(sa.insert(impressions), rows)

    card = experiments.look("default", experiment)

    assert card.verdict.decision == "invalid"
    assert card.sample_ratio is not None
    assert card.sample_ratio.mismatch


def test_a_look_sums_exactly_what_belongs_to_the_experiment(
    experiments: Experiments, assignments: Assignments, any_engine: sa.Engine, clock: FrozenClock
) -> None:
    now = clock.now()
    experiment = started(experiments, assignments)
    rows = [
        impression("q1", "u1", experiment, "control", now, [1, 3], ["", "", ""]),
        impression("q2", "u1", experiment, "control", now, [], [""]),
        impression("q3", "u2", experiment, "control", now, [2], ["", ""]),
        impression("q4", "u3", experiment, "treatment", now, [1], [""]),
        impression("before", "u4", experiment, "control", now - timedelta(seconds=1), [1], [""]),
        impression("champion", "u5", "", "champion", now, [1], [""]),
        impression("other", "u6", "another", "control", now, [1], [""]),
        impression("elsewhere", "u7", experiment, "control", now, [1], [""]) | {"collection": "other"},
    ]
    with transaction(any_engine) as connection:
        connection.execute(sa.insert(impressions), rows)

    arms = experiments.look("default", experiment).verdict.inputs["arms"]

    sums = {"n": 2, "sum_x": 2.0, "sum_y": 3.0, "sum_xx": 2.0, "sum_yy": 5.0, "sum_xy": 3.0}
    assert arms["control"]["click_rate"] == sums
    assert arms["control"]["clicks"] == 3
    assert arms["treatment"]["click_rate"]["n"] == 1
    with any_engine.connect() as connection:
        stored = {row.arm: row.statistics for row in connection.execute(sa.select(experiment_days))}
    assert stored["control"]["click_rate"] == sums


def test_who_was_drawn_is_counted(
    any_engine: sa.Engine, experiments: Experiments, assignments: Assignments, clock: FrozenClock
) -> None:
    experiment = started(experiments, assignments)
    lists = (("control", "", "anna"), ("control", "s1", "anna"), ("treatment", "s2", "anna"), ("control", "", "s1"))
    rows = [
        impression(f"q-{number}", unit, experiment, arm, clock.now(), [], [""] * 3) | {"drawn_by": drawn_by}
        for number, (arm, drawn_by, unit) in enumerate(lists)
    ]
    with transaction(any_engine) as connection:
        connection.execute(sa.insert(impressions), rows)

    with any_engine.connect() as connection:
        arms = store.measure(connection, store.find(connection, "default", experiment), clock.now()).arms
    assert {name: (arm.units, arm.searches) for name, arm in arms.items()} == {"control": (2, 3), "treatment": (1, 1)}


def test_interleaved_searches_of_one_unit_flip_different_coins(
    experiments: Experiments, assignments: Assignments
) -> None:
    started(experiments, assignments, kind="interleaving")
    given = [assignments.assign("default", Visitor(user="user"), f"query {number}") for number in range(40)]
    assert all(one is not None and one.arm == "interleaved" for one in given)
    assert len({one.seed for one in given if one}) == 40
    assert assignments.assign("default", Visitor(user="user"), "query 1") == given[1]
    assert assignments.versions("default") == {"v-1", "v-2"}


def test_users_in_quarantine_count_in_no_arm(
    any_engine: sa.Engine, experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = started(experiments, assignments)
    traffic.day(clock.now(), {"control": 30, "treatment": 60})
    clock.advance(timedelta(hours=12))
    before = experiments.look("default", experiment)
    rows = [
        {"collection": "default", "unit": unit, "state": state, "reasons": [], "score": 3.0, "since": clock.now()}
        | {"released_by": ""}
        for unit, state in ((USERS[0], "held"), (USERS[1], "held"), (USERS[2], "released"))
    ]
    with transaction(any_engine) as connection:
        connection.execute(sa.insert(quarantine), rows)

    after = experiments.look("default", experiment)

    assert (before.searches, after.searches) == (len(USERS), len(USERS) - 2)
