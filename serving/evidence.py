"""Reads the collector's evidence with its age taken into account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from foundation.contracts import Evidence
from foundation.db import reading
from foundation.tables import evidence

_WEEK_S = 7 * 24 * 3600
_KEYS_AT_ONCE = 400


def read_evidence(
    engine: sa.Engine, collection: str, now: datetime, half_life_days: float, weeks: int | None = None
) -> list[Evidence]:
    """Return the evidence of a collection, one row per query and document, decayed to `now`.

    Args:
        weeks: Only of the present week and as many before it; of all time when None.
    """
    wanted = evidence.c.collection == collection
    if weeks is not None:
        wanted &= evidence.c.period >= int(now.timestamp() // _WEEK_S) - weeks
    with reading(engine) as connection:
        rows = connection.execute(sa.select(evidence).where(wanted)).all()
    return merge_periods(rows, now, half_life_days)


def read_changed(
    engine: sa.Engine, collection: str, since: int, now: datetime, half_life_days: float
) -> tuple[Iterator[Evidence], int]:
    """Return the whole evidence of the queries that changed after `since`, and the newest change.

    The evidence is read while it is iterated over, some queries at a time, with the rows of a query together.
    """
    mine = evidence.c.collection == collection
    with reading(engine) as connection:
        changed = connection.execute(
            sa.select(evidence.c.query_key, sa.func.max(evidence.c.change))
            .where(mine, evidence.c.change > since)
            .group_by(evidence.c.query_key)
        ).all()
    keys = [row[0] for row in changed]
    chunks = (keys[start : start + _KEYS_AT_ONCE] for start in range(0, len(keys), _KEYS_AT_ONCE))
    rows = (row for chunk in chunks for row in _read_keys(engine, collection, chunk, now, half_life_days))
    return rows, max((int(row[1]) for row in changed), default=since)


def _read_keys(
    engine: sa.Engine, collection: str, keys: list[str], now: datetime, half_life_days: float
) -> list[Evidence]:
    wanted = (evidence.c.collection == collection) & evidence.c.query_key.in_(keys)
    with reading(engine) as connection:
        rows = connection.execute(sa.select(evidence).where(wanted).order_by(evidence.c.query_key)).all()
    return merge_periods(rows, now, half_life_days)


def latest_change(engine: sa.Engine, collection: str) -> int:
    """Return the newest change number of a collection's evidence, 0 without any."""
    statement = sa.select(sa.func.max(evidence.c.change)).where(evidence.c.collection == collection)
    with reading(engine) as connection:
        return int(connection.execute(statement).scalar() or 0)


def merge_periods(rows: Iterable[sa.Row[Any]], now: datetime, half_life_days: float) -> list[Evidence]:
    """Return rows of many weeks as one row per query and document; a week's age halves it by and by."""
    merged: dict[tuple[str, str], Evidence] = {}
    weights: dict[int, float] = {}
    for row in rows:
        if row.period not in weights:
            age_days = max(0.0, (now.timestamp() - (row.period + 1) * _WEEK_S) / 86400)
            weights[row.period] = 0.5 ** (age_days / half_life_days)
        key = (row.query_key, row.document_id)
        merged[key] = _add(merged.get(key), row, weights[row.period])
    return list(merged.values())


def _add(before: Evidence | None, row: sa.Row[Any], weight: float) -> Evidence:
    shown, clicked = _weigh(row.shown, weight), _weigh(row.clicked, weight)
    satisfied, dissatisfied = row.satisfied * weight, row.dissatisfied * weight
    if before is None:
        return Evidence(row.query_key, row.document_id, shown, clicked, row.users, satisfied, dissatisfied)
    return Evidence(
        row.query_key,
        row.document_id,
        tuple(one + other for one, other in zip(before.shown, shown, strict=True)),
        tuple(one + other for one, other in zip(before.clicked, clicked, strict=True)),
        before.users + row.users,
        before.satisfied + satisfied,
        before.dissatisfied + dissatisfied,
    )


def _weigh(counts: list[int], weight: float) -> tuple[float, ...]:
    return tuple(counts) if weight == 1.0 else tuple([count * weight for count in counts])
