"""Records that could not be read or stored: kept with their reason, to be sent again when mended."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

import sqlalchemy as sa

from collector.intake.logged import UNREADABLE, read_checked
from collector.tables import dead_letters
from foundation.database.engine import reading, transaction, upsert
from foundation.database.lookup import chunks
from foundation.errors import ClickloopError, NotFound, RecordTooLarge
from foundation.eventlog.protocol import EventLog, Record, await_append, check_sizes
from foundation.ids import digest_bytes

RELEASE = version("clickloop")
_MAX_COLLECTION = 64
_MAX_REASON = 120
_MAX_BEGINNING = 60
_APPEND_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Letter:
    """When a dead letter last failed, and the beginnings of its reason and of its body."""

    id: str
    at: datetime
    reason: str
    beginning: str


@dataclass(frozen=True, slots=True)
class Resent:
    """How many dead letters were sent again, and how many stay since this release or the log refuses them too."""

    sent: int
    unreadable: int


def put_aside(connection: sa.Connection, record: Record, reason: str, at: datetime) -> None:
    """Put a record aside, in the caller's transaction; one that was kept before is kept once, with the new reason."""
    upsert(connection, dead_letters, [_row(record, reason, at)])


def collection_of(record: Record) -> str:
    """Return the collection that a record is of, by its key, fit to be stored whatever the key holds."""
    return _storable(record.key.partition("/")[0])[:_MAX_COLLECTION]


def list_latest(engine: sa.Engine, collection: str, limit: int) -> list[Letter]:
    """Return the latest dead letters of a collection, the last one first."""
    statement = (
        sa.select(dead_letters)
        .where(dead_letters.c.collection == collection)
        .order_by(dead_letters.c.at.desc(), dead_letters.c.id)
        .limit(limit)
    )
    with reading(engine) as connection:
        return [_letter(row) for row in connection.execute(statement)]


def resend(engine: sa.Engine, log: EventLog, collection: str, ids: Collection[str] = ()) -> Resent:
    """Append dead letters of a collection to the log again, the oldest first, and forget them.

    Blocks until the log has them. One that fails again comes back under its id, once. After a crash in between some
    are in the log and here too: to send them once more is harmless, for what they hold counts once.

    Args:
        ids: Which ones; all that there are now when empty.

    Raises:
        NotFound: One of `ids` is none; nothing was sent.
    """
    mine = sa.select(dead_letters.c.id).where(dead_letters.c.collection == collection)
    with reading(engine) as connection:
        known = connection.execute(mine.order_by(dead_letters.c.at, dead_letters.c.id)).scalars().all()
    if unknown := sorted(set(ids) - set(known)):
        raise NotFound(f"collection {collection!r} has no dead letter {unknown[0]!r}")
    named = set(ids or known)
    wanted = [one for one in known if one in named]
    sent = sum(_resend(engine, log, some) for some in chunks(wanted))
    return Resent(sent, len(wanted) - sent)


def resend_of_other_releases(engine: sa.Engine, log: EventLog) -> Resent:
    """Append the dead letters of all collections that another release put aside to the log again.

    Each is tried once by a release: one that cannot be read now either stays, and is this release's own from then on.
    """
    others = sa.select(dead_letters.c.id).where(dead_letters.c.release != RELEASE)
    with reading(engine) as connection:
        ids = connection.execute(others.order_by(dead_letters.c.at, dead_letters.c.id)).scalars().all()
    sent = sum(_resend(engine, log, some) for some in chunks(ids))
    with transaction(engine) as connection:
        for some in chunks(ids):
            connection.execute(sa.update(dead_letters).where(dead_letters.c.id.in_(some)).values(release=RELEASE))
    return Resent(sent, len(ids) - sent)


def _resend(engine: sa.Engine, log: EventLog, ids: Sequence[str]) -> int:
    statement = sa.select(dead_letters).where(dead_letters.c.id.in_(ids))
    with reading(engine) as connection:
        rows = connection.execute(statement.order_by(dead_letters.c.at, dead_letters.c.id)).all()
    sent = _append(engine, log, [row for row in rows if _is_readable(_record(row))])
    with transaction(engine) as connection:
        for row in sent:
            as_it_was = (dead_letters.c.id == row.id) & (dead_letters.c.at == row.at)  # it may be back already
            connection.execute(sa.delete(dead_letters).where(as_it_was))
    return len(sent)


def _append(engine: sa.Engine, log: EventLog, rows: Sequence[sa.Row[Any]]) -> Sequence[sa.Row[Any]]:
    """Append records and return which the log has; one that it refuses is marked so and holds up no others."""
    try:
        if rows:
            await_append(log.append([_record(row) for row in rows]), _APPEND_LIMIT_S)
    except Exception as problem:  # a broker's client raises what it likes, of a record too large for instance
        if isinstance(problem, ClickloopError) and problem.retryable:
            raise
        if len(rows) > 1:
            return [one for row in rows for one in _append(engine, log, [row])]
        refused = {"reason": f"the event log refuses it: {problem}", "release": RELEASE}
        with transaction(engine) as connection:
            connection.execute(sa.update(dead_letters).where(dead_letters.c.id == rows[0].id).values(refused))
        return []
    return rows


def _is_readable(record: Record) -> bool:
    try:
        read_checked(record)
        check_sizes([record])
    except (*UNREADABLE, RecordTooLarge):
        return False
    return True


def _record(row: sa.Row[Any]) -> Record:
    return Record(f"{row.collection}/{row.id}", row.body)


def _letter(row: sa.Row[Any]) -> Letter:
    reason = row.reason.partition("\n")[0]  # a database repeats what it was given in the lines below
    return Letter(row.id, row.at, _beginning(reason, _MAX_REASON), _beginning(row.body, _MAX_BEGINNING))


def _beginning(text: str, length: int) -> str:
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:length])


def _row(record: Record, reason: str, at: datetime) -> dict[str, Any]:
    collection = collection_of(record)
    body = _storable(record.body)
    return {
        "id": digest_bytes(f"{collection}/{body}".encode()),
        "collection": collection,
        "reason": _storable(reason),
        "body": body,
        "at": at,
        "release": RELEASE,
    }


def _storable(text: str) -> str:
    """Return `text` without what a database cannot hold."""
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()
