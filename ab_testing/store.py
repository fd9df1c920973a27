"""The SQL of experiments: sole writer of experiments, experiment_days and decisions.

Functions take an open connection; the caller owns the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from ab_testing.decide.verdict import Facts
from ab_testing.design.experiment import Decision, Experiment
from ab_testing.design.plan import INTERLEAVED, ExperimentPlan
from ab_testing.stats.arm import ArmStatistics
from ab_testing.stats.ratio import RatioStatistics
from ab_testing.tables import decisions, experiment_days, experiments
from collector.api import Exposures, SearchPreference, preference, stream_drafts, sum_clicks
from foundation.database.engine import upsert
from foundation.errors import NotFound

_AS_THEY_ARE = ("collection", "id", "state", "created_at", "started_at", "ended_at", "created_by", "started_by")
"""Columns of an experiment that hold a field of it unchanged."""


def insert(connection: sa.Connection, experiment: Experiment) -> None:
    """Add an experiment."""
    connection.execute(sa.insert(experiments).values(_to_row(experiment)))


def save(connection: sa.Connection, experiment: Experiment) -> None:
    """Replace an experiment's row."""
    connection.execute(
        sa.update(experiments).where(_is(experiment.collection, experiment.id)).values(_to_row(experiment))
    )


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


def lock_all(connection: sa.Connection, collection: str) -> dict[str, Experiment]:
    """Return a collection's experiments by id; nobody else changes one before the transaction ends."""
    statement = (
        sa.select(experiments)
        .where(experiments.c.collection == collection)
        .order_by(experiments.c.id)
        .with_for_update()
    )
    return {row.id: _from_row(row) for row in connection.execute(statement)}


def running(connection: sa.Connection) -> list[Experiment]:
    """Return the running experiments of every collection."""
    return [
        _from_row(row) for row in connection.execute(sa.select(experiments).where(experiments.c.state == "running"))
    ]


def running_experiments() -> sa.Subquery:
    """Return what runs and since when, to be read in a statement of others: `collection`, `id`, `started_at`."""
    columns = (experiments.c.collection, experiments.c.id, experiments.c.started_at)
    return sa.select(*columns).where(experiments.c.state == "running").subquery()


def measure(connection: sa.Connection, experiment: Experiment, at: datetime) -> Facts:
    """Return what was counted since the experiment's start.

    The database sums click rates, to one row per arm. Interleaved lists are streamed; memory holds two numbers a unit.
    """
    arms = dict.fromkeys(experiment.plan.arm_names, ArmStatistics())
    if experiment.started_at is not None:
        exposures = Exposures(experiment.collection, experiment.id, experiment.plan.arm_names, experiment.started_at)
        for sums in sum_clicks(connection, exposures):
            arm, clicks, units, *totals = sums
            arms[arm] = ArmStatistics(RatioStatistics(units, *map(float, totals)), clicks)
        if experiment.plan.kind == "interleaving":
            drafted = ((one.unit, preference(one.teams, one.clicked)) for one in stream_drafts(connection, exposures))
            searches = ((unit, preferred) for unit, preferred in drafted if preferred is not None)
            arms[INTERLEAVED] = add_preferences(arms[INTERLEAVED], searches)
    return Facts(experiment.plan, experiment.days(at), arms)


def add_preferences(arm: ArmStatistics, searches: Iterable[tuple[str, SearchPreference]]) -> ArmStatistics:
    """Return `arm` with the preferences of `searches`, each with its unit."""
    won: dict[str, float] = {}
    offered: dict[str, float] = {}
    counts = {1: 0, 0: 0, -1: 0}
    for unit, (side, weight) in searches:
        won[unit] = won.get(unit, 0.0) + side * weight
        offered[unit] = offered.get(unit, 0.0) + weight
        counts[side] += 1
    per_unit = RatioStatistics.of(np.fromiter(won.values(), float), np.fromiter(offered.values(), float))
    return replace(arm, preference=per_unit, wins=counts[1], losses=counts[-1], ties=counts[0])


def record_day(connection: sa.Connection, experiment: Experiment, facts: Facts) -> None:
    """Keep the statistics since the start as they stood at the last look of a day, counted from 0."""
    day = {"collection": experiment.collection, "experiment": experiment.id, "day": int(facts.days)}
    arms = {name: asdict(arm) | {"days": facts.days} for name, arm in facts.arms.items()}
    rows = [day | {"arm": name, "statistics": statistics} for name, statistics in arms.items()]
    upsert(connection, experiment_days, rows)


def days(connection: sa.Connection, experiment: Experiment) -> list[Facts]:
    """Return the recorded days of the present run, oldest first, each with all statistics until then."""
    rows = connection.execute(sa.select(experiment_days).where(_days_of(experiment)).order_by(experiment_days.c.day))
    history: dict[int, Facts] = {}
    for row in rows:
        statistics = dict(row.statistics)
        facts = history.setdefault(row.day, Facts(experiment.plan, statistics.pop("days"), {}))
        facts.arms[row.arm] = ArmStatistics.from_json(statistics)
    return list(history.values())


def forget_days(connection: sa.Connection, experiment: Experiment) -> None:
    """Drop the recorded days, before a new run; the old run's decision keeps its statistics."""
    connection.execute(sa.delete(experiment_days).where(_days_of(experiment)))


def insert_decision(connection: sa.Connection, collection: str, decision: Decision) -> None:
    """Add a decision; none is ever changed."""
    row = asdict(decision)
    inputs = {"reason": row.pop("reason"), "facts": row.pop("inputs")}
    connection.execute(
        sa.insert(decisions).values(collection=collection, inputs=inputs, score=row.pop("effect"), **row)
    )


def list_decisions(connection: sa.Connection, collection: str, experiment_id: str) -> list[Decision]:
    """Return an experiment's decisions, newest first."""
    where = (decisions.c.collection == collection) & (decisions.c.experiment == experiment_id)
    statement = sa.select(decisions).where(where).order_by(decisions.c.at.desc(), decisions.c.id.desc())
    return [
        Decision(
            *(row.id, row.experiment, row.verdict, row.inputs["reason"], row.inputs["facts"]),
            *(row.at, row.score, row.actor),
        )
        for row in connection.execute(statement)
    ]


def _is(collection: str, experiment_id: str) -> sa.ColumnElement[bool]:
    return (experiments.c.collection == collection) & (experiments.c.id == experiment_id)


def _days_of(experiment: Experiment) -> sa.ColumnElement[bool]:
    return (experiment_days.c.collection == experiment.collection) & (experiment_days.c.experiment == experiment.id)


def _to_row(experiment: Experiment) -> dict[str, Any]:
    plan = experiment.plan.to_json() | {"starts": experiment.run}
    return {name: getattr(experiment, name) for name in _AS_THEY_ARE} | {"name": experiment.plan.name, "plan": plan}


def _from_row(row: sa.Row[Any]) -> Experiment:
    plan = dict(row.plan)
    starts = plan.pop("starts")
    kept = {name: getattr(row, name) for name in _AS_THEY_ARE}
    return Experiment(plan=ExperimentPlan.from_json(plan), run=starts, **kept)
