"""Experiments over SQL: impressions in, verdicts out."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from ab_testing import store
from ab_testing.api import Assignment, Assignments, ExperimentPlan, Experiments, interleave
from ab_testing.decide.verdict import Facts, judge
from ab_testing.tables import experiment_days
from collector.tables import impressions, quarantine
from foundation.clock import FrozenClock
from foundation.database.engine import transaction
from foundation.errors import Conflict, NotFound

USERS = [f"user-{number}" for number in range(240)]


@pytest.fixture
def experiments(any_engine: sa.Engine, clock: FrozenClock) -> Experiments:
    return Experiments(any_engine, clock)


@pytest.fixture
def assignments(any_engine: sa.Engine) -> Assignments:
    return Assignments(any_engine)


def make_plan(**changes: Any) -> ExperimentPlan:
    values: dict[str, Any] = {"kind": "ab", "planned_searches": 1000, "min_days": 3.0, "max_days": 7.0}
    return ExperimentPlan(name="adapter", control="v-1", treatment="v-2", **values | changes)


def started(experiments: Experiments, assignments: Assignments, collection: str = "default", **plan: Any) -> str:
    experiment = experiments.create(collection, make_plan(**plan))
    experiments.start(collection, experiment.id)
    assignments.refresh()
    return experiment.id


class Traffic:
    """A day's searches of every user, as serving and the collector would leave them in SQL."""

    def __init__(self, engine: sa.Engine, assignments: Assignments) -> None:
        self._engine = engine
        self._assignments = assignments
        self._searches = 0

    def day(self, at: datetime, click_percent: dict[str, int]) -> None:
        """Every user searches once; how many in a hundred click depends on the arm or the team's winner."""
        rows = [self._row(number, user, at, click_percent) for number, user in enumerate(USERS)]
        with transaction(self._engine) as connection:
            connection.execute(sa.insert(impressions), rows)

    def _row(self, number: int, user: str, at: datetime, click_percent: dict[str, int]) -> dict[str, Any]:
        self._searches += 1
        given = self._assignments.assign("default", user, f"query {self._searches}")
        assert given is not None
        draw = (number * 37 + self._searches * 61) % 100
        teams = teams_of(given)
        if given.arm == "interleaved":
            winner = "treatment" if draw < click_percent["treatment"] else "control"
            clicked = [teams.index(winner) + 1]
        else:
            clicked = [1] if draw < click_percent[given.arm] else []
        return impression(f"q-{self._searches}", user, given.experiment, given.arm, at, clicked, teams)


def teams_of(given: Assignment) -> list[str]:
    if given.arm != "interleaved":
        return [""] * 3
    return [slot.team for slot in interleave(["a", "b", "c"], ["a", "c", "b"], 3, given.seed)]


def impression(
    query_id: str, unit: str, experiment: str, arm: str, at: datetime, clicked: Sequence[int], teams: Sequence[str]
) -> dict[str, Any]:
    results = [
        {"id": f"d{rank}", "rank": rank, "score": 1 / rank, "team": team, "propensity": 1.0}
        for rank, team in enumerate(teams, start=1)
    ]
    row: dict[str, Any] = {column.name: column_default(column) for column in impressions.columns}
    return row | {
        "collection": "default",
        "query_id": query_id,
        "unit": unit,
        "experiment": experiment,
        "arm": arm,
        "results": results,
        "outcome": {"clicked": list(clicked)},
        "clicks": len(clicked),
        "at": at,
    }


def column_default(column: sa.Column[Any]) -> Any:
    return 0 if isinstance(column.type, sa.Integer) else ""


@pytest.fixture
def traffic(any_engine: sa.Engine, assignments: Assignments) -> Traffic:
    return Traffic(any_engine, assignments)


def live(
    experiments: Experiments, experiment: str, traffic: Traffic, clock: FrozenClock, click_percent: dict[str, int]
) -> list[str]:
    """Let days pass, with two looks a day, until a verdict; return the verdicts of all looks."""
    seen: list[str] = []
    for _ in range(8):
        traffic.day(clock.now(), click_percent)
        for _ in range(2):
            clock.advance(timedelta(hours=12))
            card = experiments.look("default", experiment)
            seen.append(card.verdict.decision)
            if card.verdict.final:
                return seen
    return seen


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


def test_a_harmful_version_is_stopped_and_rolled_back(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = started(experiments, assignments)

    seen = live(experiments, experiment, traffic, clock, {"control": 60, "treatment": 20})

    assert seen[-1] == "rollback"
    assert len(seen) <= 4
    assert experiments.get("default", experiment).state == "decided"
    assignments.refresh()
    assert assignments.assign("default", USERS[0]) is None
    assert assignments.versions("default") == set()


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


def test_reading_changes_nothing_and_a_decided_experiment_stays_as_it_was(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = started(experiments, assignments)
    traffic.day(clock.now(), {"control": 60, "treatment": 0})
    assert experiments.report("default", experiment).verdict.decision == "rollback"
    assert experiments.get("default", experiment).state == "running"
    assert experiments.days("default", experiment) == ()
    decided = experiments.look("default", experiment)

    clock.advance(timedelta(days=1))
    traffic.day(clock.now(), {"control": 0, "treatment": 60})

    assert experiments.look("default", experiment) == decided
    assert len(experiments.decisions("default", experiment)) == 1


def test_many_who_look_at_once_decide_once(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = started(experiments, assignments)
    traffic.day(clock.now(), {"control": 60, "treatment": 0})
    with ThreadPoolExecutor(6) as pool:
        cards = list(pool.map(lambda _: experiments.look("default", experiment), range(12)))
    assert {card.verdict.decision for card in cards} == {"rollback"}
    assert len(experiments.decisions("default", experiment)) == 1


def test_one_experiment_runs_per_collection(experiments: Experiments, assignments: Assignments) -> None:
    first = started(experiments, assignments)
    second = experiments.create("default", make_plan())
    with pytest.raises(Conflict, match=rf"experiment {first} \(adapter\) already runs"):
        experiments.start("default", second.id)
    with pytest.raises(Conflict, match="it already runs"):
        experiments.start("default", first)
    started(experiments, assignments, collection="another")
    assert {experiment.collection for experiment in experiments.running()} == {"default", "another"}


def test_of_many_starts_at_once_one_wins(experiments: Experiments) -> None:
    drafts = [experiments.create("default", make_plan()).id for _ in range(8)]

    def start(experiment: str) -> bool:
        try:
            experiments.start("default", experiment)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(start, drafts)) == 1
    assert len(experiments.running()) == 1


def test_a_restart_counts_from_nothing_and_splits_anew(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = started(experiments, assignments, coverage=0.5)
    first = {user: assignments.assign("default", user) for user in USERS}
    for user in USERS:
        assert assignments.assign("default", user) == first[user]
    assert experiments.stop("default", experiment, "holiday").state == "stopped"
    clock.advance(timedelta(days=1))
    restarted = experiments.start("default", experiment)
    assignments.refresh()
    second = {user: assignments.assign("default", user) for user in USERS}

    assert (restarted.starts, restarted.ended_at) == (2, None)
    assert {user for user in USERS if first[user]} == {user for user in USERS if second[user]}
    moved = [user for user in USERS if (a := first[user]) and (b := second[user]) and a.arm != b.arm]
    assert 20 < len(moved) < 100
    assert experiments.report("default", experiment).searches == 0
    [decision] = experiments.decisions("default", experiment)
    assert (decision.verdict, decision.reason) == ("stopped", "holiday")


def test_a_stopped_experiment_reads_as_it_stood(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = started(experiments, assignments)
    traffic.day(clock.now(), {"control": 50, "treatment": 50})
    experiments.stop("default", experiment)
    assert experiments.look("default", experiment).searches == len(USERS)
    with pytest.raises(Conflict, match="only a running one can be stopped"):
        experiments.stop("default", experiment)


def test_a_decided_experiment_cannot_be_started_again(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = started(experiments, assignments)
    traffic.day(clock.now(), {"control": 60, "treatment": 0})
    experiments.look("default", experiment)
    with pytest.raises(Conflict, match="make a new one"):
        experiments.start("default", experiment)


def test_experiments_are_listed_newest_first_in_their_own_collection(
    experiments: Experiments, clock: FrozenClock
) -> None:
    made = []
    for _ in range(3):
        made.append(experiments.create("default", make_plan()).id)
        clock.advance(timedelta(seconds=1))
    experiments.create("another", make_plan())
    assert [experiment.id for experiment in experiments.list("default")] == made[::-1]
    assert [experiment.id for experiment in experiments.list("default", limit=1)] == made[:0:-2]
    with pytest.raises(NotFound, match="has no experiment"):
        experiments.get("another", made[0])


def test_interleaved_searches_of_one_unit_flip_different_coins(
    experiments: Experiments, assignments: Assignments
) -> None:
    started(experiments, assignments, kind="interleaving")
    given = [assignments.assign("default", "user", f"query {number}") for number in range(40)]
    assert all(one is not None and one.arm == "interleaved" for one in given)
    assert len({one.seed for one in given if one}) == 40
    assert assignments.assign("default", "user", "query 1") == given[1]
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
