"""Feedback as tests give it: lists of three documents, events about them, and what became of both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from collector.tables import evidence
from foundation.contracts import EventType, FeedbackEvent, Impression, ShownResult
from foundation.database.engine import reading
from foundation.eventlog.embedded import EmbeddedLog
from foundation.eventlog.protocol import Record
from foundation.eventlog.records import event_record, impression_record
from foundation.settings import Settings

SHOWN_AT = datetime(2026, 1, 5, tzinfo=UTC)
SETTINGS = Settings(_env_file=None)


def impression(query_id: str, *, query: str = "toner", unit: str = "u1", minutes: int = 0, **other: Any) -> Impression:
    results = tuple(ShownResult(document_id, rank, 1.0 / rank) for rank, document_id in enumerate("abc", 1))
    at = SHOWN_AT + timedelta(minutes=minutes)
    surface = other.get("surface", "page")
    return Impression(other.get("collection", "default"), query_id, query, unit, "v-1", results, at, surface=surface)


def event(
    number: str, event_type: EventType, query_id: str, document_id: str = "", value: float = 0.0, **other: Any
) -> FeedbackEvent:
    at = SHOWN_AT + timedelta(days=other.get("days", 0), seconds=other.get("seconds", 0))
    collection = other.get("collection", "default")
    return FeedbackEvent(collection, number, event_type, query_id, document_id, "u1", value, at, at)


def records_of(*content: Impression | FeedbackEvent) -> list[Record]:
    return [impression_record(one) if isinstance(one, Impression) else event_record(one) for one in content]


def append(log: EmbeddedLog, *content: Impression | FeedbackEvent) -> None:
    log.append(records_of(*content)).result(10)


def evidence_of(engine: sa.Engine, document_id: str, collection: str = "default") -> sa.Row[Any]:
    statement = sa.select(evidence).where(evidence.c.collection == collection, evidence.c.document_id == document_id)
    with reading(engine) as connection:
        return connection.execute(statement).one()


def count(engine: sa.Engine, table: sa.Table) -> int:
    with reading(engine) as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
