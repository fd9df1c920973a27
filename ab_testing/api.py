"""Experiments for the rest of clickloop; the one module of this part that others import.

Serving asks `Assignments` who takes part and logs the answer in its impression, which is the exposure. The
retrainer makes and reads experiments with `Experiments`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa

from ab_testing import store
from ab_testing.assignments import Assignment, Assignments
from ab_testing.decide.verdict import ArmEvidence, Facts, Verdict, weigh
from ab_testing.design.arm import CHAMPION, Arm, ArmSettings
from ab_testing.design.assignment import Visitor
from ab_testing.design.experiment import Decision, Experiment
from ab_testing.design.plan import INTERLEAVED, ExperimentPlan
from ab_testing.pins import EvidencePins, PinnedEvidence
from ab_testing.ranking.team_draft import Slot, interleave
from ab_testing.report import scorecard
from ab_testing.report.scorecard import Scorecard
from ab_testing.store import running_experiments
from foundation.access.actors import EXPERIMENT, LOCAL
from foundation.clock import Clock
from foundation.database.engine import reading, transaction
from foundation.errors import Conflict
from foundation.ids import new_id

__all__ = [
    "CHAMPION",
    "INTERLEAVED",
    "Arm",
    "ArmEvidence",
    "ArmSettings",
    "Assignment",
    "Assignments",
    "Decision",
    "EvidencePins",
    "Experiment",
    "ExperimentDay",
    "ExperimentPlan",
    "Experiments",
    "PinnedEvidence",
    "Scorecard",
    "Slot",
    "Verdict",
    "Visitor",
    "interleave",
    "running_experiments",
]


@dataclass(frozen=True, slots=True)
class ExperimentDay:
    """How an experiment stood at the last look of a day.

    Attributes:
        evidence: What the primary metric said, None with too few units.
    """

    days: float
    searches: int
    evidence: ArmEvidence | None


class Experiments:
    """Making, running and reading experiments. Every method is one or two short transactions.

    Raises:
        NotFound: By every method that takes an experiment's id: the collection has no such experiment.
    """

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def create(self, collection: str, plan: ExperimentPlan, actor: str = LOCAL) -> Experiment:
        """Make an experiment as a draft; it takes no traffic before its start."""
        now = self._clock.now()
        experiment = Experiment(collection, new_id(now), plan, "draft", run=0, created_at=now, created_by=actor)
        with transaction(self._engine) as connection:
            store.insert(connection, experiment)
        return experiment

    def start(self, collection: str, experiment_id: str, actor: str = LOCAL) -> Experiment:
        """Let an experiment take traffic. A restart splits the units anew and counts from nothing.

        Raises:
            Conflict: It runs or is decided already, or another one of the collection runs.
        """
        with transaction(self._engine) as connection:
            others = store.lock_all(connection, collection)
            experiment = store.find(connection, collection, experiment_id)
            _refuse_start(experiment, others)
            now, run = self._clock.now(), experiment.run + 1
            started = replace(experiment, state="running", run=run, started_at=now, ended_at=None, started_by=actor)
            store.save(connection, started)
            store.forget_days(connection, started)
        return started

    def stop(
        self, collection: str, experiment_id: str, reason: str = "stopped by hand", actor: str = LOCAL
    ) -> Experiment:
        """End a running experiment without a verdict and record why.

        Raises:
            Conflict: It does not run.
        """
        experiment = self.get(collection, experiment_id)
        facts = self._measure(experiment)
        with transaction(self._engine) as connection:
            if not _unchanged(connection, experiment) or experiment.state != "running":
                raise Conflict(f"experiment {experiment_id} is {experiment.state}; only a running one can be stopped")
            return self._end(connection, experiment, facts, "stopped", reason, actor)

    def end_for(self, connection: sa.Connection, collection: str, reason: str, actor: str) -> tuple[str, ...]:
        """Stop what runs in a collection, within the caller's transaction, and return the ids."""
        running = [one for one in store.lock_all(connection, collection).values() if one.state == "running"]
        for experiment in running:
            facts = store.measure(connection, experiment, self._clock.now())
            self._end(connection, experiment, facts, "stopped", reason, actor)
        return tuple(experiment.id for experiment in running)

    def get(self, collection: str, experiment_id: str) -> Experiment:
        """Return one experiment."""
        with reading(self._engine) as connection:
            return store.find(connection, collection, experiment_id)

    def list(self, collection: str, limit: int = 100) -> list[Experiment]:
        """Return a collection's experiments, newest first."""
        with reading(self._engine) as connection:
            return store.list_all(connection, collection, limit)

    def running(self) -> tuple[Experiment, ...]:
        """Return the running experiments of every collection."""
        with reading(self._engine) as connection:
            return tuple(store.running(connection))

    def look(self, collection: str, experiment_id: str) -> Scorecard:
        """Read an experiment, record the day's statistics, and act on a final verdict.

        May be called as often as one likes: the test is valid at any looks. A final verdict is recorded with its inputs
        and ends the experiment. That happens once, however many look at the same time; later looks read the decision.
        """
        experiment = self.get(collection, experiment_id)
        if experiment.state != "running":
            return self.report(collection, experiment_id)
        facts = self._measure(experiment)
        card = scorecard.build(experiment, facts)
        with transaction(self._engine) as connection:
            if _unchanged(connection, experiment):
                return replace(card, experiment=self._record(connection, experiment, facts, card.verdict))
        return self.report(collection, experiment_id)

    def report(self, collection: str, experiment_id: str) -> Scorecard:
        """Read an experiment and change nothing: now if it runs, else as it stood when it ended."""
        experiment = self.get(collection, experiment_id)
        if experiment.state in {"stopped", "decided"}:
            last = self.decisions(collection, experiment_id)[0]
            return scorecard.build(experiment, Facts.from_json(last.inputs))
        return scorecard.build(experiment, self._measure(experiment))

    def days(self, collection: str, experiment_id: str) -> tuple[ExperimentDay, ...]:
        """Return how the present run stood at the last look of each day, oldest first."""
        with reading(self._engine) as connection:
            history = store.days(connection, store.find(connection, collection, experiment_id))
        return tuple(ExperimentDay(facts.days, facts.searches, weigh(facts)) for facts in history)

    def decisions(self, collection: str, experiment_id: str) -> tuple[Decision, ...]:
        """Return what was decided about an experiment, newest first."""
        with reading(self._engine) as connection:
            store.find(connection, collection, experiment_id)
            return tuple(store.list_decisions(connection, collection, experiment_id))

    def _measure(self, experiment: Experiment) -> Facts:
        with reading(self._engine) as connection:
            return store.measure(connection, experiment, self._clock.now())

    def _record(self, connection: sa.Connection, experiment: Experiment, facts: Facts, verdict: Verdict) -> Experiment:
        store.record_day(connection, experiment, facts)
        if not verdict.final:
            return experiment
        return self._end(connection, experiment, facts, verdict.decision, verdict.reason, EXPERIMENT)

    def _end(
        self, connection: sa.Connection, experiment: Experiment, facts: Facts, word: str, reason: str, actor: str
    ) -> Experiment:
        now = self._clock.now()
        ended = replace(experiment, state="stopped" if word == "stopped" else "decided", ended_at=now)
        evidence = weigh(facts)
        effect = evidence.estimate if evidence else None
        store.save(connection, ended)
        decision = Decision(new_id(now), experiment.id, word, reason, facts.to_json(), now, effect, actor)
        store.insert_decision(connection, experiment.collection, decision)
        return ended


def _refuse_start(experiment: Experiment, others: dict[str, Experiment]) -> None:
    if experiment.state == "decided":
        raise Conflict(f"experiment {experiment.id} is decided; make a new one to test again")
    for other in others.values():
        if other.state == "running":
            which = "it" if other.id == experiment.id else f"experiment {other.id} ({other.plan.name})"
            raise Conflict(f"{which} already runs in collection {experiment.collection!r}; stop it first")


def _unchanged(connection: sa.Connection, experiment: Experiment) -> bool:
    """Return whether the experiment still stands as it was read, and hold it so until the commit."""
    return store.lock_all(connection, experiment.collection).get(experiment.id) == experiment
