"""A training run goes from training to promotion in steps that any process can take again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from ab_testing.api import Experiment, ExperimentPlan, Experiments
from collector.join.batch import fold_batch
from foundation.clock import FrozenClock
from foundation.contracts import FeedbackEvent, Impression, Manifest, ShownResult
from foundation.database.engine import transaction, upsert
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.registry import Registry, Version
from foundation.registry.status_history import Status
from foundation.settings import Settings
from retrainer.autopilot.autopilot import Autopilot, Training
from retrainer.autopilot.pauses import Pauses
from retrainer.hotswap import HotSwap
from retrainer.runs import Run, Runs
from retrainer.tables import training_runs
from serving.tables import replicas
from tests.autopilots import AutopilotParts, make_autopilot

BASELINE = Manifest(encoder="e")
CANDIDATE = Manifest(encoder="e", fusion="rrf")
SEARCHES = 400


@dataclass
class Workplace(AutopilotParts):
    """An autopilot whose training ends as the test says."""

    state: Training = "finished"
    status: Status = "approved"
    trained: list[str] = field(default_factory=list)

    def train(self, run: Run) -> Training:
        """Train at once, unless the test says otherwise."""
        if self.state == "finished" and run.id not in self.trained:
            version = Version(
                "default", CANDIDATE.id, BASELINE.id, self.status, "by the gate", CANDIDATE, {}, {}, self.clock.now()
            )
            self.registry.register(version)
            self.runs.advance(run, "train", version=CANDIDATE.id)
            self.trained.append(run.id)
        return self.state

    def autopilot(self) -> Autopilot:
        """Return another process's autopilot over the same tables."""
        return make_autopilot(self, self.train)

    def advance(self, run: Run) -> Run:
        """Take one step, in a process of its own."""
        for experiment in self.experiments.running():  # as the schedule does
            self.experiments.look("default", experiment.id)
        return self.autopilot().advance(self.runs.get("default", run.id))

    def search(self, experiment: Experiment, winner: str) -> None:
        """Let 400 users search an interleaved list and click what `winner` contributed."""
        records: list[Impression | FeedbackEvent] = []
        now = self.clock.now() + timedelta(seconds=1)
        for number in range(SEARCHES):
            name = f"search-{number}"
            results = (ShownResult("a", 1, 2.0, winner, 0.5), ShownResult("b", 2, 1.0, _other(winner), 0.5))
            shown = Impression(
                "default", name, f"query {number}", f"user-{number}", BASELINE.id, results, now,
                experiment.id, "interleaved", drawn_by=f"user-{number}", run=experiment.run,
            )  # fmt: skip
            records.append(shown)
            clicked = "b" if number % 5 == 0 else "a"
            records.append(FeedbackEvent("default", f"{name}-click", "click", name, clicked, "", 0.0, now, now))
        with transaction(self.engine) as connection:
            fold_batch(connection, records, self.settings)


def _other(team: str) -> str:
    return "control" if team == "treatment" else "treatment"


@pytest.fixture
def place(engine: sa.Engine, clock: FrozenClock, tmp_path: Path) -> Workplace:
    registry = Registry(engine, ArtifactStore(str(tmp_path / "artifacts")))
    hotswap = HotSwap(engine, registry, clock)
    hotswap.install("default", BASELINE)
    settings = Settings(
        home=tmp_path,
        proof="interleaving",
        experiment_searches=SEARCHES,
        experiment_days=2.0,
        false_promotions_a_year=9.0,
    )
    return Workplace(
        engine,
        clock,
        Runs(engine, clock),
        registry,
        Experiments(engine, clock, champion=registry.champion),
        hotswap,
        settings,
    )


def start_experiment(place: Workplace) -> tuple[Run, Experiment]:
    run = place.advance(place.runs.request("default", autopilot=True))
    assert run.step == "plan"
    run = place.advance(run)
    assert run.step == "interleave"
    run = place.advance(run)
    return run, place.experiments.get("default", run.experiment)


def test_a_winner_is_promoted(place: Workplace) -> None:
    run, experiment = start_experiment(place)
    assert (experiment.plan.control, experiment.plan.treatment) == (BASELINE.id, CANDIDATE.id)
    assert place.advance(run).step == "interleave"
    place.search(experiment, "treatment")
    place.clock.advance(timedelta(days=1.5))
    assert place.advance(run).step == "promote"
    run = place.advance(run)
    assert (run.state, run.step) == ("promoted", "done")
    assert place.registry.champion("default") == CANDIDATE.id
    assert run.report["verdict"] == "promote"


def test_a_loser_is_dropped_and_keeps_the_reason(place: Workplace) -> None:
    run, experiment = start_experiment(place)
    place.search(experiment, "control")
    run = place.advance(run)
    assert run.state == "dropped"
    assert place.registry.champion("default") == BASELINE.id
    version = place.registry.get("default", CANDIDATE.id)
    assert version.status == "refused"
    assert "harm" in version.reason


def test_an_experiment_stopped_by_hand_drops_the_candidate(place: Workplace) -> None:
    run, experiment = start_experiment(place)
    place.experiments.stop("default", experiment.id)
    assert place.advance(run).state == "dropped"
    assert place.registry.champion("default") == BASELINE.id


def test_a_candidate_refused_by_the_gate_meets_no_user(place: Workplace) -> None:
    place.status = "refused"
    run = place.advance(place.runs.request("default", autopilot=True))
    assert (run.state, run.report["end"]) == ("refused", "by the gate")
    assert place.experiments.list("default") == []


def test_without_autopilot_a_run_ends_at_the_gate(place: Workplace) -> None:
    run = place.advance(place.runs.request("default", autopilot=False))
    assert run.state == "approved"
    assert place.experiments.list("default") == []


def test_a_training_that_dies_fails_the_run(place: Workplace) -> None:
    place.state = "failed"
    run = place.advance(place.runs.request("default", autopilot=True))
    assert run.state == "failed"
    assert "died" in run.report["end"]


def test_a_training_under_way_is_waited_for(place: Workplace) -> None:
    place.state = "running"
    run = place.runs.request("default", autopilot=True)
    assert place.advance(run) == run


def test_a_step_that_was_lost_is_taken_again_once(place: Workplace) -> None:
    run, _ = start_experiment(place)
    with transaction(place.engine) as connection:  # the record of it was lost
        connection.execute(sa.update(training_runs).values(experiment=""))
    assert place.advance(run).experiment == run.experiment
    assert len(place.experiments.list("default")) == 1


def test_a_promotion_that_was_lost_is_not_made_twice(place: Workplace) -> None:
    run, experiment = start_experiment(place)
    place.search(experiment, "treatment")
    place.clock.advance(timedelta(days=1.5))
    run = place.advance(run)
    place.hotswap.promote("default", CANDIDATE.id, "by the process that died")
    assert place.advance(run).state == "promoted"
    assert len(place.registry.moves("default")) == 2


def test_a_promotion_waits_for_its_replicas_without_holding_anything_up(place: Workplace) -> None:
    run = win(place)
    follow(place, BASELINE.id)
    assert place.advance(run).step == "promote"
    follow(place, CANDIDATE.id)
    assert place.advance(run).report["end"] == "every replica serves it"


def test_who_goes_back_while_replicas_follow_is_not_overruled(place: Workplace) -> None:
    run = win(place)
    follow(place, BASELINE.id)
    place.advance(run)
    place.hotswap.rollback("default", "regret")
    run = place.advance(run)
    assert place.registry.champion("default") == BASELINE.id
    assert "regret" in run.report["end"]
    assert run.state == "promoted"


def test_a_candidate_that_won_against_another_champion_is_dropped(place: Workplace) -> None:
    run = win(place)
    theirs = Manifest(encoder="e", weights={"bm25": 2.0})
    place.registry.register(Version("default", theirs.id, "", "approved", "", theirs, {}, {}, place.clock.now()))
    place.hotswap.promote("default", theirs.id, "the sale begins", "key:maria")
    run = place.advance(run)
    assert place.registry.champion("default") == theirs.id
    assert (run.state, run.step) == ("dropped", "done")
    assert run.report["end"] == (
        f"it won against {BASELINE.id}, and the champion is {theirs.id} by now: the sale begins"
    )


def test_a_loser_that_a_person_made_champion_is_promoted(place: Workplace) -> None:
    run, experiment = start_experiment(place)
    place.search(experiment, "control")
    place.hotswap.promote("default", CANDIDATE.id, "I know better", "key:maria")
    run = place.advance(run)
    assert (run.state, run.report["end"]) == ("promoted", "promoted before its proof ended: I know better")
    version = place.registry.get("default", CANDIDATE.id)
    assert (version.status, version.reason) == ("champion", "I know better")


def win(place: Workplace) -> Run:
    """Return a run whose candidate won its experiment."""
    run, experiment = start_experiment(place)
    place.search(experiment, "treatment")
    place.clock.advance(timedelta(days=1.5))
    return place.advance(run)


def follow(place: Workplace, version: str) -> None:
    """Let a replica say what it serves."""
    row = {"collection": "default", "replica": "one", "version": version, "problem": "", "seen_at": place.clock.now()}
    with transaction(place.engine) as connection:
        upsert(connection, replicas, [row])


def test_one_experiment_waits_for_another(place: Workplace) -> None:
    plan = ExperimentPlan("by hand", "ab", "champion", "v-theirs", planned_searches=9, min_days=0, max_days=1)
    other = place.experiments.start("default", place.experiments.create("default", plan).id)
    run = place.runs.request("default", autopilot=True)
    for _ in range(3):
        run = place.advance(run)
    assert (run.step, run.experiment) == ("interleave", "")
    place.experiments.stop("default", other.id)
    assert place.advance(run).experiment


def test_a_pause_holds_what_users_would_see_and_nothing_is_lost(place: Workplace) -> None:
    pauses = Pauses(place.engine, place.clock)
    run = place.runs.request("default", autopilot=True)
    pauses.pause("default", "sale week", "local")
    run = place.advance(run)
    assert run.step == "plan"  # a training shows nothing to anybody
    assert place.advance(run).step == "plan"
    assert not place.experiments.running()
    pauses.resume("default", "over", "local")
    assert place.advance(run).step == "interleave"
