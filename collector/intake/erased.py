"""What the log still holds of people who were erased: it is dropped when it is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from collector.tables import erasures
from foundation.contracts import FeedbackEvent, Impression
from foundation.database.lookup import chunks


def without_erased(
    connection: sa.Connection, collection: str, records: Sequence[Impression | FeedbackEvent]
) -> list[Impression | FeedbackEvent]:
    """Return the records but those of people erased since they happened; what people do later is kept."""
    people = sorted({person for record in records for person in _people(record)} - {""})
    erased_at: dict[str, datetime] = {}
    for some in chunks(people):
        erased_at.update(_erased_at(connection, collection, some))
    return [
        record
        for record in records
        if all(_moment(record) > erased_at[person] for person in _people(record) if person in erased_at)
    ]


def _erased_at(connection: sa.Connection, collection: str, people: Sequence[str]) -> dict[str, datetime]:
    statement = (
        sa.select(erasures.c.person, sa.func.max(erasures.c.at))
        .where(erasures.c.collection == collection, erasures.c.person.in_(people))
        .group_by(erasures.c.person)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def _people(record: Impression | FeedbackEvent) -> tuple[str, ...]:
    return (record.unit, record.drawn_by) if isinstance(record, Impression) else (record.user,)


def _moment(record: Impression | FeedbackEvent) -> datetime:
    """Return when it happened; a client's clock that runs ahead does not outlive the receipt."""
    return record.at if isinstance(record, Impression) else min(record.at, record.received_at)
