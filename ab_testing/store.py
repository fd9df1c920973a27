"""The SQL of experiments: sole writer of experiments, experiment_looks and decisions.

Functions take an open connection; the caller owns the transaction.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ab_testing.decide.look import Look
from ab_testing.design.arm import CHAMPION
from ab_testing.design.experiment import Decision, Experiment
from ab_testing.design.plan import ExperimentPlan
from ab_testing.tables import decisions, experiment_looks, experiments
from foundation.database.engine import upsert
from foundation.errors import NotFound

_AS_THEY_ARE = (
    *("collection", "id", "state", "created_at", "started_at", "ended_at", "created_by", "started_by"),
    *("run", "champion", "slots_from", "pinned", "pinned_at"),
)
"""Columns of an experiment that hold a field of it unchanged."""


def insert(connection: sa.Connection, experiment: Experiment) -> None:
    """Add an experiment."""
    connection.execute(sa.insert(experiments).values(_to_row(experiment)))


def save(connection: sa.Connection, experiment: Experiment) -> None:
    """Replace an experiment's row, but for its plan: that is frozen."""
    values = {name: value for name, value in _to_row(experiment).items() if name != "plan"}
    connection.execute(sa.update(experiments).where(_is(experiment.collection, experiment.id)).values(values))


def find(connection: sa.Connection, collection: str, experiment_id: str) -> Experiment:
    """Return one experiment.

    Raises:
        NotFound: The collection has no such experiment.
    """
    row = connection.execute(sa.select(experiments).where(_is(collection, experiment_id))).one_or_none()
    if row is None:
        raise NotFound(f"collection {collection!r} has no experiment {experiment_id!r}")
    return _from_row(row)


def list_all(connection: sa.Connection, collection: str, limit: int) -> list[Experiment]:
    """Return a collection's experiments, newest first."""
    statement = (
        sa.select(experiments)
        .where(experiments.c.collection == collection)
        .order_by(experiments.c.created_at.desc(), experiments.c.id.desc())
        .limit(limit)
    )
    return [_from_row(row) for row in connection.execute(statement)]


def find_named(connection: sa.Connection, collection: str, name: str) -> Experiment | None:
    """Return the newest experiment of a name, None without one."""
    mine = (experiments.c.collection == collection) & (experiments.c.name == name)
    newest = sa.select(experiments).where(mine).order_by(experiments.c.id.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return None if row is None else _from_row(row)


def made_by(connection: sa.Connection, collection: str, actor: str, since: datetime) -> list[Experiment]:
    """Return the experiments that an actor made since a moment."""
    mine = (experiments.c.collection == collection) & (experiments.c.created_by == actor)
    made = sa.select(experiments).where(mine, experiments.c.created_at >= since)
    return [_from_row(row) for row in connection.execute(made)]


def lock_all(connection: sa.Connection, collection: str) -> dict[str, Experiment]:
    """Return a collection's experiments by id; nobody else changes one before the transaction ends."""
    statement = (
        sa.select(experiments)
        .where(experiments.c.collection == collection)
        .order_by(experiments.c.id)
        .with_for_update()
    )
    return {row.id: _from_row(row) for row in connection.execute(statement)}


def is_unchanged(connection: sa.Connection, experiment: Experiment) -> bool:
    """Return whether an experiment still stands as it was read, and hold it so until the transaction ends."""
    return lock_all(connection, experiment.collection).get(experiment.id) == experiment


def running(connection: sa.Connection) -> list[Experiment]:
    """Return the running experiments of every collection."""
    return [
        _from_row(row) for row in connection.execute(sa.select(experiments).where(experiments.c.state == "running"))
    ]


def running_experiments() -> sa.Subquery:
    """Return what runs, since when and on which evidence, to be read in a statement of others.

    Its columns are `collection`, `id`, `started_at` and `pinned`.
    """
    columns = (experiments.c.collection, experiments.c.id, experiments.c.started_at, experiments.c.pinned)
    return sa.select(*columns).where(experiments.c.state == "running").subquery()


def record_look(connection: sa.Connection, experiment: Experiment, look: Look) -> None:
    """Keep a look as the last one of its day, counted from 0."""
    row = _run_of(experiment) | {"day": int(look.days), "look": look.to_json()}
    upsert(connection, experiment_looks, [row])


def looks(connection: sa.Connection, experiment: Experiment) -> list[Look]:
    """Return the last look of each day of the present run, oldest first."""
    mine = [experiment_looks.c[name] == value for name, value in _run_of(experiment).items()]
    statement = sa.select(experiment_looks.c.look).where(*mine).order_by(experiment_looks.c.day)
    return [Look.from_json(value) for value in connection.execute(statement).scalars()]


def insert_decision(connection: sa.Connection, collection: str, decision: Decision) -> None:
    """Add a decision; none is ever changed."""
    row = asdict(decision)
    inputs = {"reason": row.pop("reason"), "inputs": row.pop("inputs")}
    connection.execute(
        sa.insert(decisions).values(collection=collection, inputs=inputs, score=row.pop("effect"), **row)
    )


def list_decisions(connection: sa.Connection, collection: str, experiment_id: str) -> list[Decision]:
    """Return an experiment's decisions, newest first."""
    where = (decisions.c.collection == collection) & (decisions.c.experiment == experiment_id)
    statement = sa.select(decisions).where(where).order_by(decisions.c.at.desc(), decisions.c.id.desc())
    return [_decision(row) for row in connection.execute(statement)]


def _decision(row: sa.Row[Any]) -> Decision:
    return Decision(
        id=row.id,
        experiment=row.experiment,
        verdict=row.verdict,
        reason=row.inputs["reason"],
        inputs=row.inputs.get("inputs", {}),  # an earlier release kept other sums, which nothing reads any more
        at=row.at,
        effect=row.score,
        actor=row.actor,
        run=row.run,
        plan_hash=row.plan_hash,
        change=row.change,
    )


def _is(collection: str, experiment_id: str) -> sa.ColumnElement[bool]:
    return (experiments.c.collection == collection) & (experiments.c.id == experiment_id)


def _run_of(experiment: Experiment) -> dict[str, Any]:
    return {"collection": experiment.collection, "experiment": experiment.id, "run": experiment.run}


def _to_row(experiment: Experiment) -> dict[str, Any]:
    kept = {name: getattr(experiment, name) for name in _AS_THEY_ARE}
    return kept | {"name": experiment.plan.name, "plan": experiment.plan.to_json()}


def _from_row(row: sa.Row[Any]) -> Experiment:
    """Return a stored experiment; from its start on its plan names the version that was the champion then."""
    plan = ExperimentPlan.from_json(row.plan)
    if row.champion:
        plan = plan.with_versions({CHAMPION: row.champion})
    return Experiment(plan=plan, **{name: getattr(row, name) for name in _AS_THEY_ARE})
