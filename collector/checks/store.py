"""Reads the snapshot that the checks examine."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from collector.checks.snapshot import JoinedEvent, JoinSnapshot, KnownList, Searched
from collector.join.rows import CONFLICTS, event_fields, ranks_of
from collector.reads.people import person
from collector.tables import events, impressions

LATEST = 5000
"""Events, and searches, that are examined."""


def read_snapshot(connection: sa.Connection, collection: str, lateness_days: float, refused_unset: int) -> JoinSnapshot:
    """Return what the checks of a collection examine.

    It is read once for all checks, and its size is bounded: a snapshot costs the same whatever is stored.
    """
    return JoinSnapshot(
        [_joined(row) for row in connection.execute(_latest_events(collection))],
        {row.query_id: Searched(*row) for row in connection.execute(_latest_searches(collection))},
        lateness_days,
        refused_unset,
    )


def _latest_events(collection: str) -> sa.Select[Any]:
    latest = (
        sa.select(events)
        .where(events.c.collection == collection)
        .order_by(events.c.received_at.desc())
        .limit(LATEST)
        .subquery()
    )
    same = (impressions.c.collection == latest.c.collection) & (impressions.c.query_id == latest.c.query_id)
    about = (impressions.c.at.label("shown_at"), impressions.c.results)
    return sa.select(latest, *about).outerjoin(impressions, same).order_by(latest.c.received_at.desc(), latest.c.id)


def _latest_searches(collection: str) -> sa.Select[Any]:
    latest = (
        sa.select(
            impressions.c.collection,
            impressions.c.query_id,
            impressions.c.surface,
            (person() == "").label("nameless"),
        )
        .where(impressions.c.collection == collection)
        .order_by(impressions.c.at.desc())
        .limit(LATEST)
        .subquery()
    )
    joined = sa.exists().where(
        events.c.collection == latest.c.collection, events.c.query_id == latest.c.query_id, events.c.type != "seen"
    )
    return sa.select(latest.c.query_id, latest.c.surface, joined.label("joined"), latest.c.nameless)


def _joined(row: sa.Row[Any]) -> JoinedEvent:
    about = None if row.shown_at is None else KnownList(row.shown_at, ranks_of(row.results))
    return JoinedEvent(**event_fields(row), about=about, conflicts=row.body.get(CONFLICTS, 0))
