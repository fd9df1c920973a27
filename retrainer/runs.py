"""Training runs as they stand: the step that each has reached, from which any process can go on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa

from foundation.access.actors import LOCAL
from foundation.clock import Clock
from foundation.database.engine import reading, take_numbers, transaction
from foundation.errors import Conflict, NotFound
from foundation.ids import new_id
from foundation.registry.names import default_name, find_row, rename
from retrainer.tables import training_runs

Step = Literal["train", "plan", "interleave", "compare", "promote", "holdback", "done"]
Learners = Literal["fast", "tower", "encoder", "student"]
"""Which learners a run uses: those that leave the texts alone; these and a static tower, a fine-tuned encoder, or a
smaller encoder."""

State = Literal["active", "promoted", "rolled_back", "approved", "refused", "dropped", "failed"]

WATCHED = "holdback"
"""The step at which a run holds up no other: its candidate serves already."""

LEARNERS = "learners"
"""The entry of a run's report that says which learners it uses."""


class RunMoved(Conflict):
    """Another process took a step of the training run."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run.

    Attributes:
        state: "active" until it ends; then how it ended.
        autopilot: Whether to go on after the gate: experiment, verdict, promotion.
        version: The candidate, once trained.
        experiment: The experiment that proves it, once made.
        report: What each finished step said.
        name: What people call it, unique in the collection.
        actor: Who asked for it; see `foundation.access.actors`.
    """

    collection: str
    id: str
    state: State
    step: Step
    autopilot: bool
    version: str
    experiment: str
    report: dict[str, Any]
    requested_at: datetime
    updated_at: datetime
    name: str = ""
    actor: str = ""

    @property
    def learners(self) -> Learners:
        """Which learners it uses."""
        asked = self.report.get(LEARNERS)
        return next((one for one in get_args(Learners) if one == asked), "fast")


class Runs:
    """The table of training runs; each method is one transaction."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def request(self, collection: str, autopilot: bool, actor: str = LOCAL, learners: Learners = "fast") -> Run:
        """Add a run, to be started by the retrainer.

        Raises:
            Conflict: The collection has an active run, other than one at its holdback.
        """
        now = self._clock.now()
        with transaction(self._engine) as connection:
            take_numbers(connection, f"runs:{collection}", 1)  # of two who ask at once, the second waits here
            unfinished = (training_runs.c.collection == collection) & is_busy()
            if active := connection.execute(sa.select(training_runs).where(unfinished)).first():
                raise Conflict(f"training run {active.id} of {collection!r} is still active at step {active.step!r}")
            name = default_name(connection, training_runs, collection, "run", now)
            report = {LEARNERS: learners} if learners != "fast" else {}
            run = Run(collection, new_id(now), "active", "train", autopilot, "", "", report, now, now, name, actor)
            connection.execute(sa.insert(training_runs).values(_to_row(run)))
        return run

    def get(self, collection: str, run_id: str) -> Run:
        """Return the run with an id or name; NotFound when there is none."""
        with reading(self._engine) as connection:
            found = find_row(connection, training_runs, collection, run_id)
        if found is None:
            raise NotFound(f"collection {collection!r} has no training run {run_id!r}")
        return Run(**found._mapping)

    def rename(self, collection: str, run_id: str, name: str, actor: str = LOCAL) -> Run:
        """Give a run another name, and return it.

        Raises:
            NotFound: The collection has no run of this id or name.
            Conflict: Another run is called so.
        """
        found = self.get(collection, run_id).id
        with transaction(self._engine) as connection:
            take_numbers(connection, f"runs:{collection}", 1)
            done = {"action": "training run named", "actor": actor}
            rename(connection, training_runs, collection, found, name, at=self._clock.now(), **done)
        return self.get(collection, found)

    def active(self) -> list[Run]:
        """Return the active runs of all collections, oldest first."""
        active = sa.select(training_runs).where(training_runs.c.state == "active")
        return self._read(active.order_by(training_runs.c.requested_at))

    def active_of(self, collection: str) -> list[Run]:
        """Return the active runs of one collection, oldest first."""
        return [run for run in self.active() if run.collection == collection]

    def recent(self, collection: str, limit: int = 50) -> list[Run]:
        """Return a collection's runs, newest first."""
        mine = sa.select(training_runs).where(training_runs.c.collection == collection)
        return self._read(mine.order_by(training_runs.c.requested_at.desc()).limit(limit))

    def _read(self, statement: sa.Select[Any]) -> list[Run]:
        with reading(self._engine) as connection:
            return [Run(**row._mapping) for row in connection.execute(statement)]

    def advance(self, run: Run, step: Step, **changes: Any) -> Run:
        """Record that a run has reached `step`; `report` entries are added to those before.

        Raises:
            RunMoved: The run is not where `run` says any more: it ended, or another process took the step.
        """
        with transaction(self._engine) as connection:
            return self.advance_in(connection, run, step, **changes)

    def advance_in(self, connection: sa.Connection, run: Run, step: Step, **changes: Any) -> Run:
        """Do what `advance` does in a transaction of the caller's."""
        report = run.report | changes.pop("report", {})
        advanced = replace(run, step=step, report=report, updated_at=self._clock.now(), **changes)
        known = (training_runs.c.collection == run.collection) & (training_runs.c.id == run.id)
        here = known & (training_runs.c.state == "active") & (training_runs.c.step == run.step)
        stays = {"name": training_runs.c.name}  # somebody may have given another one meanwhile
        update = sa.update(training_runs).where(here)
        written = connection.execute(update.values(_to_row(advanced) | stays))
        if written.rowcount != 1:
            raise RunMoved(f"training run {run.id} of {run.collection!r} is not at step {run.step!r} any more")
        return advanced

    def end(self, run: Run, state: State, reason: str) -> Run:
        """Record how a run ended and why; RunMoved as `advance`."""
        return self.advance(run, "done", state=state, report={"end": reason})


def is_busy() -> sa.ColumnElement[bool]:
    """Return whether a run holds up the next one."""
    return (training_runs.c.state == "active") & (training_runs.c.step != WATCHED)


def _to_row(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in Run.__slots__}
