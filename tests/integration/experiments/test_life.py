"""An experiment starts once, ends once, and reads as it stood."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from ab_testing.api import Assignments, Experiments, Visitor
from collector.tables import erasures
from foundation.clock import FrozenClock
from foundation.database.engine import transaction
from foundation.database.tables import counters
from foundation.errors import Conflict, NotFound
from tests.integration.experiments.conftest import USERS, Traffic, live, make_plan, started


def test_a_harmful_version_is_stopped_and_rolled_back(
    experiments: Experiments, assignments: Assignments, traffic: Traffic, clock: FrozenClock
) -> None:
    experiment = started(experiments, assignments)

    seen = live(experiments, experiment, traffic, clock, {"control": 60, "treatment": 20})

    assert seen[-1] == "rollback"
    assert len(seen) <= 4
    assert experiments.get("default", experiment).state == "decided"
    assignments.refresh()
    assert assignments.assign("default", Visitor(user=USERS[0])) is None
    assert assignments.versions("default") == set()


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


def test_one_experiment_has_the_whole_traffic_of_a_collection(
    experiments: Experiments, assignments: Assignments
) -> None:
    first = started(experiments, assignments)
    second = experiments.create("default", make_plan())
    with pytest.raises(Conflict, match=rf"experiment {first} \(adapter, 100%\) already runs"):
        experiments.start("default", second.id)
    with pytest.raises(Conflict, match="already runs; stop it first"):
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
    first = {user: assignments.assign("default", Visitor(user=user)) for user in USERS}
    for user in USERS:
        assert assignments.assign("default", Visitor(user=user)) == first[user]
    assert experiments.stop("default", experiment, "holiday").state == "stopped"
    clock.advance(timedelta(days=1))
    restarted = experiments.start("default", experiment)
    assignments.refresh()
    second = {user: assignments.assign("default", Visitor(user=user)) for user in USERS}

    assert (restarted.run, restarted.ended_at) == (2, None)
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


def test_experiments_that_fit_run_side_by_side_on_traffic_of_their_own(
    experiments: Experiments, assignments: Assignments
) -> None:
    started(experiments, assignments, coverage=0.5)
    started(experiments, assignments, coverage=0.3)
    third = experiments.create("default", make_plan(coverage=0.3))
    with pytest.raises(Conflict, match="leaves less than the 30% of traffic"):
        experiments.start("default", third.id)
    given = [assignments.assign("default", Visitor(user=f"u{number}")) for number in range(2000)]
    shares = Counter(one.experiment if one else "" for one in given)
    assert sorted(round(count / 2000, 1) for count in shares.values()) == [0.2, 0.3, 0.5]


def test_champion_in_a_plan_is_the_version_of_the_start(any_engine: sa.Engine, clock: FrozenClock) -> None:
    serving = {"default": "v-1"}
    experiments = Experiments(any_engine, clock, champion=lambda collection: serving[collection])
    draft = experiments.create("default", make_plan(control="champion"))
    serving["default"] = "v-3"
    assert draft.plan.control == "champion"
    started_at_last = experiments.start("default", draft.id)
    assert started_at_last.plan.control == "v-3"
    assert started_at_last.plan.hash != draft.plan.hash
    experiments.stop("default", draft.id)
    serving["default"] = "v-4"
    assert experiments.start("default", draft.id).plan.control == "v-4"


def test_moving_the_champion_ends_what_runs_in_the_same_transaction(
    any_engine: sa.Engine, experiments: Experiments, assignments: Assignments
) -> None:
    mine, other = started(experiments, assignments), started(experiments, assignments, collection="another")
    with pytest.raises(RuntimeError), transaction(any_engine) as connection:
        experiments.end_for(connection, "default", "v-9 promoted by hand", "anna")
        raise RuntimeError
    assert experiments.get("default", mine).state == "running"
    with transaction(any_engine) as connection:
        assert experiments.end_for(connection, "default", "v-9 promoted by hand", "anna") == (mine,)
    assert (experiments.get("default", mine).state, experiments.get("another", other).state) == ("stopped", "running")
    [decision] = experiments.decisions("default", mine)
    assert (decision.verdict, decision.reason, decision.actor) == ("stopped", "v-9 promoted by hand", "anna")


def test_runs_share_one_alpha(experiments: Experiments, assignments: Assignments) -> None:
    experiment = started(experiments, assignments)
    experiments.stop("default", experiment)
    assert experiments.start("default", experiment).alpha == pytest.approx(0.04)


class Pins:
    """Evidence that is kept under the number of times that it was read."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.dropped: list[str] = []

    def take(self, collection: str, owner: str) -> str:
        assert owner
        self.taken.append(f"{collection}-{len(self.taken)}")
        return self.taken[-1]

    def drop(self, digest: str) -> None:
        self.dropped.append(digest)


def test_pinned_evidence_is_read_at_the_start_and_anew_every_week(any_engine: sa.Engine, clock: FrozenClock) -> None:
    pins = Pins()
    experiments = Experiments(any_engine, clock, pins=pins)
    shared = experiments.create("default", make_plan(evidence="shared", coverage=0.5))
    assert experiments.start("default", shared.id).pinned == ""
    experiment = experiments.create("default", make_plan(coverage=0.5, max_days=30.0))
    assert experiments.start("default", experiment.id).pinned == "default-0"
    clock.advance(timedelta(days=6))
    experiments.look("default", experiment.id)
    assert experiments.get("default", experiment.id).pinned == "default-0"
    clock.advance(timedelta(days=1, hours=1))
    experiments.look("default", experiment.id)
    assert experiments.get("default", experiment.id).pinned == "default-1"
    assert pins.dropped == ["default-0"]


def test_an_experiment_that_ended_keeps_no_evidence(any_engine: sa.Engine, clock: FrozenClock) -> None:
    pins = Pins()
    experiments = Experiments(any_engine, clock, pins=pins)
    stopped, decided = (experiments.create("default", make_plan(coverage=0.5)).id for _ in range(2))
    for one in (stopped, decided):
        experiments.start("default", one)
    experiments.stop("default", stopped)
    clock.advance(timedelta(days=6.9))
    experiments.look("default", decided)
    assert pins.dropped == ["default-0"]
    clock.advance(timedelta(days=1))
    assert experiments.look("default", decided).verdict.final
    assert pins.dropped[-1] == pins.taken[-1]


def test_a_refused_start_reads_no_evidence(any_engine: sa.Engine, clock: FrozenClock) -> None:
    pins = Pins()
    experiments = Experiments(any_engine, clock, pins=pins)
    first, second = (experiments.create("default", make_plan()).id for _ in range(2))
    experiments.start("default", first)
    for refused in (first, second):
        with pytest.raises(Conflict):
            experiments.start("default", refused)
    assert pins.taken == ["default-0"]


def test_an_erasure_renews_what_an_experiment_pinned(any_engine: sa.Engine, clock: FrozenClock) -> None:
    pins = Pins()
    experiments = Experiments(any_engine, clock, pins=pins)
    experiment = experiments.create("default", make_plan())
    experiments.start("default", experiment.id)
    clock.advance(timedelta(hours=1))
    row = {"collection": "default", "id": "e-1", "person": "p", "counts": {}, "versions": [], "change": 1}
    with transaction(any_engine) as connection:
        more = {"signature": "", "at": clock.now(), "swept": False, "actor": ""}
        connection.execute(sa.insert(erasures).values(row | more))
    experiments.look("default", experiment.id)
    assert pins.taken == ["default-0", "default-1"], "though no version learned from that person"


def test_nothing_is_decided_before_an_upgrade_has_counted_again(
    any_engine: sa.Engine, experiments: Experiments, assignments: Assignments, clock: FrozenClock
) -> None:
    experiment = started(experiments, assignments)
    with transaction(any_engine) as connection:
        connection.execute(sa.insert(counters).values(name="recount:default", value=1))
    clock.advance(timedelta(days=30))
    experiments.look("default", experiment)
    assert experiments.get("default", experiment).state == "running"
    with transaction(any_engine) as connection:
        connection.execute(sa.delete(counters).where(counters.c.name == "recount:default"))
    assert experiments.look("default", experiment).verdict.decision == "keep_control"
