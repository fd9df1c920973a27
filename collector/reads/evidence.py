"""Reads the collector's evidence with its age, and what it is worth that nobody's name stands behind it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from collector.tables import evidence
from foundation.clock import WEEK_S, period_of
from foundation.contracts import Evidence
from foundation.database.engine import reading
from foundation.database.lookup import chunks
from foundation.packed_evidence import OTHERS, QueryEvidence

Floats = npt.NDArray[np.float64]

_KEYS_AT_ONCE = 400
_ROWS_AT_ONCE = 20_000
_NAMELESS_PEOPLE = 0.5
_NAMELESS_LISTS = 1.5
"""What all searches without user and session weigh together in what acts at once: half of what one person may."""
_COLUMNS = (
    evidence.c.query_key,
    evidence.c.document_id,
    evidence.c.period,
    evidence.c.nameless,
    evidence.c.users,
    evidence.c.satisfied,
    evidence.c.dissatisfied,
    sa.cast(evidence.c.shown, sa.Text),  # parsed here, each text once
    sa.cast(evidence.c.clicked, sa.Text),
)


def read_evidence(
    engine: sa.Engine, collection: str, now: datetime, half_life_days: float, weeks: int | None = None
) -> list[Evidence]:
    """Return the evidence of a collection, one row per query and document, decayed to `now`, to learn from.

    It is read some queries at a time. Lists of counts that are equal are one object, for there are many and few that
    differ: a row takes about 200 bytes.

    Args:
        weeks: Only of the present week and as many before it; of all time when None.
    """
    wanted = evidence.c.collection == collection
    if weeks is not None:
        wanted &= evidence.c.period >= period_of(now) - weeks
    same: dict[tuple[float, ...], tuple[float, ...]] = {}
    return [
        replace(row, shown=same.setdefault(row.shown, row.shown), clicked=same.setdefault(row.clicked, row.clicked))
        for query in _stream_queries(engine, wanted, now, half_life_days)
        for row in query.rows()
    ]


def read_changed(
    engine: sa.Engine, collection: str, since: int, now: datetime, half_life_days: float
) -> tuple[Iterator[QueryEvidence], int]:
    """Return the whole evidence of the queries that changed after `since`, to act at once, and the newest change.

    All searches without user and session weigh together as half a person, on each document; people are as many as
    in the week that most came, for who comes again is no further one.
    The evidence is read while it is iterated over, some queries at a time; counts are float32.
    """
    mine = evidence.c.collection == collection
    with reading(engine) as connection:
        changed = connection.execute(
            sa.select(evidence.c.query_key, sa.func.max(evidence.c.change))
            .where(mine, evidence.c.change > since)
            .group_by(evidence.c.query_key)
        ).all()
    keys = [row[0] for row in changed]
    queries = (
        QueryEvidence(query.key, query.documents, query.counts.astype(np.float32))
        for some in chunks(keys, _KEYS_AT_ONCE)
        for query in _read_queries(
            engine, mine & evidence.c.query_key.in_(some), now, half_life_days, _NAMELESS_LISTS, to_act=True
        )
    )
    return queries, max((int(row[1]) for row in changed), default=since)


def latest_change(engine: sa.Engine, collection: str) -> int:
    """Return the newest change number of a collection's evidence, 0 without any."""
    statement = sa.select(sa.func.max(evidence.c.change)).where(evidence.c.collection == collection)
    with reading(engine) as connection:
        return int(connection.execute(statement).scalar() or 0)


def count_clicked_queries(engine: sa.Engine, collection: str, since_period: int) -> int:
    """Return for how many queries somebody speaks for a document, by evidence of a week or later ones."""
    statement = sa.select(sa.func.count(evidence.c.query_key.distinct())).where(
        evidence.c.collection == collection, evidence.c.period >= since_period, evidence.c.users > 0
    )
    with reading(engine) as connection:
        return int(connection.execute(statement).scalar_one())


def _stream_queries(
    engine: sa.Engine, wanted: sa.ColumnElement[bool], now: datetime, half_life_days: float
) -> Iterator[QueryEvidence]:
    statement = sa.select(*_COLUMNS).where(wanted).order_by(evidence.c.query_key, evidence.c.document_id)
    with reading(engine) as connection:
        rows = connection.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE})
        for whole in _whole_queries(rows.partitions()):
            yield from _merge_weeks(whole, now, half_life_days, math.inf, np.add)


def _whole_queries(parts: Iterable[Sequence[sa.Row[Any]]]) -> Iterator[Sequence[sa.Row[Any]]]:
    """Yield rows in parts of which none ends within a query, from parts that may."""
    waiting: list[sa.Row[Any]] = []
    for part in parts:
        cut = next((place for place in range(len(part), 0, -1) if part[place - 1].query_key != part[-1].query_key), 0)
        if cut or (waiting and waiting[-1].query_key != part[0].query_key):
            yield [*waiting, *part[:cut]]
            waiting = list(part[cut:])
        else:
            waiting.extend(part)
    if waiting:
        yield waiting


def _read_queries(
    engine: sa.Engine,
    wanted: sa.ColumnElement[bool],
    now: datetime,
    half_life_days: float,
    nameless_lists: float = math.inf,
    *,
    to_act: bool = False,
) -> Iterator[QueryEvidence]:
    statement = sa.select(*_COLUMNS).where(wanted).order_by(evidence.c.query_key, evidence.c.document_id)
    with reading(engine) as connection:
        rows = connection.execute(statement).all()
    return _merge_weeks(rows, now, half_life_days, nameless_lists, np.maximum if to_act else np.add)


def _merge_weeks(
    rows: Sequence[sa.Row[Any]], now: datetime, half_life_days: float, nameless_lists: float, users_of_weeks: np.ufunc
) -> Iterator[QueryEvidence]:
    """Yield rows of many weeks, in the order of queries and documents, one line each; age halves a week by and by."""
    if not rows:
        return
    keys, documents, periods, nameless, users, satisfied, dissatisfied, shown, clicked = zip(*rows, strict=True)
    counts = np.column_stack((_parse(shown), _parse(clicked), users, satisfied, dissatisfied)).astype(np.float64)
    age_days = np.maximum(0.0, (now.timestamp() - (np.array(periods) + 1) * WEEK_S) / 86400)
    weights = 0.5 ** (age_days / half_life_days)
    counts[:, :-OTHERS] *= weights[:, None]
    counts[:, 1 - OTHERS :] *= weights[:, None]  # what users are behind it does not fade
    starts = _starts(zip(keys, documents, strict=True))
    by_nobody = np.array(nameless, bool)[:, None]
    named = np.where(by_nobody, 0.0, counts)
    merged = np.add.reduceat(named, starts)
    merged[:, -OTHERS] = users_of_weeks.reduceat(named[:, -OTHERS], starts)
    merged += _bound(np.add.reduceat(np.where(by_nobody, counts, 0.0), starts), nameless_lists)
    names = [(keys[start], sys.intern(documents[start])) for start in starts]
    for first, last in pairwise([*_starts(key for key, _ in names), len(names)]):
        yield QueryEvidence(names[first][0], tuple(name for _, name in names[first:last]), merged[first:last])


def _bound(counts: Floats, lists: float) -> Floats:
    """Return what nameless searches say of documents, brought down to so many lists and part of a person."""
    ranks = (counts.shape[1] - OTHERS) // 2
    behind = np.maximum(counts[:, :ranks].sum(axis=1), counts[:, 1 - OTHERS :].sum(axis=1))
    bounded: Floats = counts * np.minimum(1.0, lists / np.maximum(behind, 1e-9))[:, None]
    bounded[:, -OTHERS] = np.where(counts[:, -OTHERS] > 0, _NAMELESS_PEOPLE, 0.0)
    return bounded


def _parse(lists: Sequence[str]) -> Floats:
    """Return lists of numbers written as JSON, each text read once: most rows were shown or clicked alike."""
    places = {text: place for place, text in enumerate(dict.fromkeys(lists))}
    read = np.array([json.loads(text) for text in places], np.float64)
    return read[[places[text] for text in lists]]


def _starts(values: Iterable[Any]) -> list[int]:
    """Return the places where a value is not that before it."""
    listed = list(values)
    return [place for place, value in enumerate(listed) if place == 0 or value != listed[place - 1]]
