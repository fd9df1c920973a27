"""Records that could not be read or stored: kept with their reason, to be sent again when mended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from foundation.db import insert_missing, reading, transaction
from foundation.eventlog import EventLog, Record
from foundation.ids import digest_bytes
from foundation.tables import dead_letters

_MAX_COLLECTION = 64


def keep(connection: sa.Connection, record: Record, reason: str, at: datetime) -> None:
    """Put a record aside, in the caller's transaction; the same record from the same place counts once."""
    insert_missing(connection, dead_letters, [_row(record, reason, at)])


def resend(engine: sa.Engine, log: EventLog, collection: str, limit: int = 1000) -> int:
    """Append the oldest dead letters of a collection to the log again and forget them.

    Blocks until the log has them. A crash in between sends them twice, which is harmless. Those
    that still cannot be read come back. Returns how many were sent.
    """
    statement = (
        sa.select(dead_letters.c.id, dead_letters.c.body)
        .where(dead_letters.c.collection == collection)
        .order_by(dead_letters.c.at, dead_letters.c.id)
        .limit(limit)
    )
    with reading(engine) as connection:
        rows = connection.execute(statement).all()
    log.append([Record(f"{collection}/{row.id}", row.body) for row in rows]).result()
    with transaction(engine) as connection:
        connection.execute(sa.delete(dead_letters).where(dead_letters.c.id.in_([row.id for row in rows])))
    return len(rows)


def _row(record: Record, reason: str, at: datetime) -> dict[str, Any]:
    place = f"{record.partition}/{record.position}/{record.body}"
    return {
        "id": digest_bytes(place.encode(errors="replace")),
        "collection": _storable(record.key.partition("/")[0])[:_MAX_COLLECTION],
        "reason": _storable(reason),
        "body": _storable(record.body),
        "at": at,
    }


def _storable(text: str) -> str:
    """Return `text` without what a database cannot hold."""
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()
