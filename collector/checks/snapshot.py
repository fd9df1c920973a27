"""What the checks look at: the latest events with the lists they are about, and the latest searches.

All of it is read once for all checks, and its size is bounded, so a look costs the same whatever is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from collector.join.rows import CONFLICTS, ranks_of
from collector.reads.people import person
from collector.tables import events, impressions
from foundation.contracts import EventType

LATEST = 5000
"""Events, and searches, that are looked at."""


@dataclass(frozen=True, slots=True)
class KnownList:
    """What was shown, and when.

    Attributes:
        ranks: Rank by document id, 1 on top.
    """

    at: datetime
    ranks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class JoinedEvent:
    """One event.

    Attributes:
        position: The rank by the client's word, None without one.
        about: The list it belongs to, None while that is unknown.
        distrusted: Why it does not count, "" when it does.
        conflicts: How often its id came again with other content.
    """

    id: str
    type: EventType
    query_id: str
    document_id: str
    user: str
    value: float
    source: str
    position: int | None
    at: datetime
    received_at: datetime
    about: KnownList | None
    distrusted: str
    conflicts: int


@dataclass(frozen=True, slots=True)
class Searched:
    """One search.

    Attributes:
        joined: Whether it has feedback; that a hit was seen is none.
        nameless: Whether neither a user nor a session came with it.
    """

    query_id: str
    surface: str
    joined: bool
    nameless: bool


@dataclass(frozen=True, slots=True)
class JoinSnapshot:
    """What the checks of one collection look at.

    Attributes:
        events: The latest by receipt, the last one first.
        searches: The latest by query id.
        lateness_days: After how long events are not folded.
        refused_unset: Events about a query id that is no id, refused since this process began to serve.
    """

    events: Sequence[JoinedEvent]
    searches: Mapping[str, Searched]
    lateness_days: float
    refused_unset: int = 0


def read_snapshot(connection: sa.Connection, collection: str, lateness_days: float, refused_unset: int) -> JoinSnapshot:
    """Return what there is to look at in a collection."""
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
    return sa.select(latest.c.query_id, latest.c.surface, joined.label("heard"), latest.c.nameless)


def _joined(row: sa.Row[Any]) -> JoinedEvent:
    body = row.body
    ranks = ranks_of(row.results or [])
    return JoinedEvent(
        id=row.id,
        type=row.type,
        query_id=row.query_id,
        document_id=body["document_id"],
        user=body["user"],
        value=body["value"],
        source=body.get("source", ""),
        position=body.get("position"),
        at=row.at,
        received_at=row.received_at,
        about=None if row.shown_at is None else KnownList(row.shown_at, ranks),
        distrusted=body.get("distrusted", ""),
        conflicts=body.get(CONFLICTS, 0),
    )
