"""The life of experiments: made, started, looked at, ended, audited."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from ab_testing import audit, store
from ab_testing.audit import AuditedDecision
from ab_testing.decide.evidence import weigh
from ab_testing.decide.look import Look
from ab_testing.decide.rules import Verdict, Word, decide
from ab_testing.design.experiment import Decision, Experiment, State
from ab_testing.design.plan import ExperimentPlan
from ab_testing.design.slots import free_slots
from ab_testing.measure import NO_HISTORY, measure
from ab_testing.metrics.choice import check_metrics
from ab_testing.own_metrics.definitions import with_definitions
from ab_testing.own_metrics.store import read as read_definitions
from ab_testing.pinning.upkeep import Pins, PinUpkeep
from ab_testing.report import scorecard
from ab_testing.report.export import tabulate_sums, write_parquet
from ab_testing.report.report import ExperimentDay, ExperimentReport, build_report, read_days
from ab_testing.report.scorecard import Scorecard
from ab_testing.webhooks.webhooks import DecisionOutbox
from collector.api import (
    ExperimentRun,
    must_recount,
    read_history,
    refolded_history,
    refolded_totals,
    stored_totals,
)
from foundation.access.actors import EXPERIMENT, LOCAL
from foundation.clock import Clock
from foundation.database.engine import reading, transaction
from foundation.errors import ClickloopError, Conflict
from foundation.ids import new_id


class Experiments:
    """Making, running and reading experiments. Every method is one or two short transactions.

    Args:
        champion: Returns the version that serves a collection, for plans that name "champion"; "" where none is known.
        pins: Keeps evidence for plans that pin it; without it both sides read what is live.
        outbox: Keeps the messages about each decision, in its transaction; nobody is told without it.
        lateness_days: How long after its list an event counts, as the collector's settings say; for audits.

    Raises:
        NotFound: By every method that takes an experiment's id: the collection has no such experiment.
    """

    def __init__(
        self,
        engine: sa.Engine,
        clock: Clock,
        champion: Callable[[str], str] = lambda _collection: "",
        pins: Pins | None = None,
        lateness_days: float = 7.0,
        outbox: DecisionOutbox | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._champion = champion
        self._pins = PinUpkeep(engine, clock, pins)
        self._lateness_days = lateness_days
        self._outbox = outbox

    def create(self, collection: str, plan: ExperimentPlan, actor: str = LOCAL) -> Experiment:
        """Make an experiment as a draft; it takes no traffic before its start.

        Its plan holds the collection's own metrics as they are defined now.

        Raises:
            InvalidRequest: The plan names a metric that does not exist, or that does not fit its kind.
        """
        now = self._clock.now()
        with transaction(self._engine) as connection:
            whole = with_definitions(plan, read_definitions(connection, collection))
            check_metrics(whole)
            experiment = Experiment(collection, new_id(now), whole, "draft", run=0, created_at=now, created_by=actor)
            store.insert(connection, experiment)
        return experiment

    def start(self, collection: str, experiment_id: str, actor: str = LOCAL) -> Experiment:
        """Let an experiment take traffic. A restart splits the units anew and counts from nothing.

        From now on "champion" in its plan is the version that serves at this moment. Where the plan pins evidence,
        that is read first, which takes a while in a large collection.

        Raises:
            Conflict: It runs or is decided already, or what runs already leaves too little of the traffic.
        """
        with reading(self._engine) as connection:
            experiment = store.find(connection, collection, experiment_id)
            running = [one for one in store.running(connection) if one.collection == collection]
        _refuse_start(experiment, running)  # before evidence is read, which is dear
        read_at = self._clock.now()
        pinned = self._pins.take(experiment)
        try:
            started = self._start(experiment, pinned=pinned, read_at=read_at, actor=actor)
        except ClickloopError:
            self._pins.drop_unread(replace(experiment, pinned=pinned))
            raise
        for ended in self.list(collection):
            if ended.state in {"stopped", "decided"}:
                self._pins.drop_unread(ended)
        return started

    def _start(self, read: Experiment, *, pinned: str, read_at: datetime, actor: str) -> Experiment:
        """Start an experiment on evidence that was read at a moment, if it may still be started."""
        with transaction(self._engine) as connection:
            others = store.lock_all(connection, read.collection)
            experiment = store.find(connection, read.collection, read.id)
            slots_from = _refuse_start(experiment, [one for one in others.values() if one.state == "running"])
            started = replace(
                experiment,
                state="running",
                run=experiment.run + 1,
                started_at=self._clock.now(),
                ended_at=None,
                started_by=actor,
                champion=self._champion(read.collection),
                slots_from=slots_from,
                pinned=pinned,
                pinned_at=read_at if pinned else None,
            )
            store.save(connection, started)
            return store.find(connection, read.collection, read.id)

    def stop(
        self, collection: str, experiment_id: str, reason: str = "stopped by hand", actor: str = LOCAL
    ) -> Experiment:
        """End a running experiment without a verdict and record why.

        Raises:
            Conflict: It does not run.
        """
        with transaction(self._engine) as connection:
            experiment = store.lock_all(connection, collection).get(experiment_id)
            if experiment is None or experiment.state != "running":
                state = store.find(connection, collection, experiment_id).state
                raise Conflict(f"experiment {experiment_id} is {state}; only a running one can be stopped")
            stopped = self._stop(connection, experiment, reason, actor)
        self._pins.drop_unread(stopped)
        return stopped

    def end_for(self, connection: sa.Connection, collection: str, reason: str, actor: str) -> tuple[str, ...]:
        """Stop what runs in a collection, within the caller's transaction, and return the ids.

        For a person who moves the champion: what is measured after that compares with another control.
        """
        running = [one for one in store.lock_all(connection, collection).values() if one.state == "running"]
        for experiment in running:
            self._stop(connection, experiment, reason, actor)
        return tuple(experiment.id for experiment in running)

    def get(self, collection: str, experiment_id: str) -> Experiment:
        """Return one experiment."""
        with reading(self._engine) as connection:
            return store.find(connection, collection, experiment_id)

    def list(self, collection: str, limit: int = 100) -> list[Experiment]:
        """Return a collection's experiments, newest first."""
        with reading(self._engine) as connection:
            return store.list_all(connection, collection, limit)

    def alphas_spent(self, collection: str, actor: str, since: datetime) -> tuple[float, ...]:
        """Return the alpha of each experiment for a gain that an actor made since a moment and that was started."""
        with reading(self._engine) as connection:
            made = store.made_by(connection, collection, actor, since)
        return tuple(one.plan.alpha for one in made if one.plan.aim == "gain" and one.run)

    def find_named(self, collection: str, name: str) -> Experiment | None:
        """Return the newest experiment of a name, None without one."""
        with reading(self._engine) as connection:
            return store.find_named(connection, collection, name)

    def running(self) -> tuple[Experiment, ...]:
        """Return the running experiments of every collection."""
        with reading(self._engine) as connection:
            return tuple(store.running(connection))

    def look(self, collection: str, experiment_id: str) -> Scorecard:
        """Read an experiment, record the look, and act on a final verdict.

        May be called as often as one likes: the test is valid at any looks. A final verdict is recorded with its inputs
        and ends the experiment. That happens once, however many look at the same time; later looks read the decision.
        """
        experiment = self.get(collection, experiment_id)
        if experiment.state != "running" or self._awaits_recount(collection):
            return self.report(collection, experiment_id)
        experiment = self._pins.renew(experiment)
        now = self._clock.now()
        looks = self._measure(experiment, now)
        if decide(experiment.plan, looks, experiment.alpha).final:
            looks = self._measure(experiment, now, everything=True)
        verdict = audit.judge(experiment, looks, now)
        with transaction(self._engine) as connection:
            unchanged = store.is_unchanged(connection, experiment)
            if unchanged:
                store.record_look(connection, experiment, looks[-1])
            if unchanged and verdict.final:
                experiment = self._end(connection, experiment, verdict, EXPERIMENT)
        if not unchanged:
            return self.report(collection, experiment_id)
        if verdict.final:
            self._pins.drop_unread(experiment)
        return scorecard.build(experiment, looks[-1], verdict)

    def report(self, collection: str, experiment_id: str) -> Scorecard:
        """Read an experiment and change nothing: now if it runs, else as it stood when it ended."""
        experiment = self.get(collection, experiment_id)
        if experiment.state in {"stopped", "decided"}:
            last = self.decisions(collection, experiment_id)[0]
            return scorecard.build(experiment, *_as_it_stood(last))
        now = self._clock.now()
        looks = self._measure(experiment, now, everything=True)
        return scorecard.build(experiment, looks[-1], audit.judge(experiment, looks, now))

    def days(self, collection: str, experiment_id: str) -> tuple[ExperimentDay, ...]:
        """Return how the present run stood at the last look of each day, oldest first."""
        return read_days(*self._read_looks(collection, experiment_id))

    def whole_report(self, collection: str, experiment_id: str) -> ExperimentReport:
        """Return how an experiment stands, its effect over the searches, and its decisions; changes nothing."""
        card, days = self.report(collection, experiment_id), self.days(collection, experiment_id)
        return build_report(card, days, self.decisions(collection, experiment_id), self._clock.now())

    def sums(self, collection: str, experiment_id: str) -> bytes:
        """Return the sums of every look and decision as Parquet; MissingExtra where that is not installed."""
        experiment, looks = self._read_looks(collection, experiment_id)
        return write_parquet(tabulate_sums(experiment, looks, self.decisions(collection, experiment_id)))

    def decisions(self, collection: str, experiment_id: str) -> tuple[Decision, ...]:
        """Return what was decided about an experiment, newest first."""
        with reading(self._engine) as connection:
            store.find(connection, collection, experiment_id)
            return tuple(store.list_decisions(connection, collection, experiment_id))

    def audit(self, collection: str, experiment_id: str) -> tuple[AuditedDecision, ...]:
        """Fold the log again up to each decision and compare every number, newest first.

        Reads the stored lists and events of the experiment's runs; a large one takes as long as its folding did.
        """
        with reading(self._engine) as connection:
            experiment = store.find(connection, collection, experiment_id)
            made = store.list_decisions(connection, collection, experiment_id)
            return tuple(self._audit(connection, experiment, decision) for decision in made)

    def _audit(self, connection: sa.Connection, experiment: Experiment, decision: Decision) -> AuditedDecision:
        run = audit.as_decided(experiment, decision)
        change, late = decision.change, self._lateness_days
        totals = refolded_totals(connection, run_of(run), change, late)
        history = NO_HISTORY
        if run.plan.cuped and run.started_at:
            history = refolded_history(connection, run_of(run), run.started_at, change=change, lateness_days=late)
        return audit.compare(decision, run, totals, store.looks(connection, run), history)

    def _read_looks(self, collection: str, experiment_id: str) -> tuple[Experiment, Sequence[Look]]:
        with reading(self._engine) as connection:
            experiment = store.find(connection, collection, experiment_id)
            return experiment, store.looks(connection, experiment)

    def _awaits_recount(self, collection: str) -> bool:
        """Return whether an upgrade's recount is still to come, before which too little is counted."""
        with reading(self._engine) as connection:
            return must_recount(connection, collection)

    def _measure(self, experiment: Experiment, at: datetime, *, everything: bool = False) -> Sequence[Look]:
        """Return the looks of the present run so far and one of this moment."""
        with reading(self._engine) as connection:
            totals = stored_totals(connection, run_of(experiment))
            history = _history(connection, experiment)
            look = measure(totals, experiment, at, history=history, everything=everything)
            return [*store.looks(connection, experiment), look]

    def _stop(self, connection: sa.Connection, experiment: Experiment, reason: str, actor: str) -> Experiment:
        at = self._clock.now()
        totals, history = stored_totals(connection, run_of(experiment)), _history(connection, experiment)
        look = measure(totals, experiment, at, history=history, everything=True)
        verdict = replace(audit.judge(experiment, [look], at), decision="stopped", reason=reason)
        return self._end(connection, experiment, verdict, actor)

    def _end(self, connection: sa.Connection, experiment: Experiment, verdict: Verdict, actor: str) -> Experiment:
        now = self._clock.now()
        state: State = "stopped" if verdict.decision == "stopped" else "decided"
        look = Look.from_json(verdict.inputs["look"])
        decision = Decision(
            id=new_id(now),
            experiment=experiment.id,
            verdict=verdict.decision,
            reason=verdict.reason,
            inputs=verdict.inputs,
            at=now,
            effect=weigh(experiment.plan, look, experiment.alpha)[0].estimate,
            run=experiment.run,
            plan_hash=experiment.plan.hash,
            change=look.change,
            actor=actor,
        )
        store.insert_decision(connection, experiment.collection, decision)
        store.save(connection, replace(experiment, state=state, ended_at=now))
        ended = store.find(connection, experiment.collection, experiment.id)
        if self._outbox:
            self._outbox.put(connection, scorecard.build(ended, look, verdict), decision)
        return ended


def run_of(experiment: Experiment) -> ExperimentRun:
    """Return the name under which the collector counts an experiment's present run."""
    return ExperimentRun(experiment.collection, experiment.id, experiment.run)


def _history(connection: sa.Connection, experiment: Experiment) -> Mapping[str, tuple[int, int]]:
    if not experiment.plan.cuped or experiment.started_at is None:
        return NO_HISTORY
    return read_history(connection, run_of(experiment), experiment.started_at)


def _as_it_stood(last: Decision) -> tuple[Look, Verdict]:
    """Return the look and the verdict of a decision; one of an earlier release kept other sums, and shows none."""
    stored: dict[str, Any] = last.inputs.get("look", {"change": 0, "days": 0.0, "units": {}, "searches": {}})
    look = Look.from_json(stored)
    return look, Verdict(cast("Word", last.verdict), last.reason, last.inputs.get("winner"), last.inputs)


def _refuse_start(experiment: Experiment, running: Sequence[Experiment]) -> float:
    """Return where the experiment's part of the traffic begins, or refuse its start."""
    if experiment.state == "decided":
        raise Conflict(f"experiment {experiment.id} is decided; make a new one to test again")
    if experiment.state == "running":
        raise Conflict(f"experiment {experiment.id} already runs; stop it first")
    return free_slots(experiment, [one for one in running if one.id != experiment.id])
