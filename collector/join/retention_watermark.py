"""The retention watermark: before it, events are removed, and the evidence stays as it is and takes nothing in.

A recount needs all events of a week. So a week keeps all of them, or lies before the watermark for good.
"""

from __future__ import annotations

import sqlalchemy as sa

from foundation.database.engine import take_numbers, upsert
from foundation.database.tables import counters

_EVIDENCE = "evidence:"
_OPEN_FROM = "open-from:"
_RECOUNT = "recount:"


def lock_evidence(connection: sa.Connection, collection: str) -> int:
    """Keep every other transaction from the evidence of a collection; return the number of this change."""
    return take_numbers(connection, f"{_EVIDENCE}{collection}", 1)


def hold_change(connection: sa.Connection, collection: str) -> int:
    """Return the number of the last change of a collection's evidence, 0 without any.

    Until the transaction ends there is no later one, for whoever reads on: SQLite reads from one snapshot, and on
    PostgreSQL changes wait.
    """
    last = sa.select(counters.c.value).where(counters.c.name == f"{_EVIDENCE}{collection}")
    return connection.execute(last.with_for_update(read=True)).scalar_one_or_none() or 0


def collections_with_evidence(connection: sa.Connection) -> list[str]:
    """Return the collections that feedback ever came for."""
    names = sa.select(counters.c.name).where(counters.c.name.startswith(_EVIDENCE)).order_by(counters.c.name)
    return [name.removeprefix(_EVIDENCE) for name in connection.execute(names).scalars()]


def marked_for_recount(connection: sa.Connection) -> list[str]:
    """Return the collections whose evidence must be counted again from its events; a migration marks them."""
    names = sa.select(counters.c.name).where(counters.c.name.startswith(_RECOUNT)).order_by(counters.c.name)
    return [name.removeprefix(_RECOUNT) for name in connection.execute(names).scalars()]


def must_recount(connection: sa.Connection, collection: str) -> bool:
    """Return whether the evidence of a collection must be counted again."""
    mark = sa.select(counters.c.value).where(counters.c.name == f"{_RECOUNT}{collection}")
    return connection.execute(mark).scalar_one_or_none() is not None


def note_recounted(connection: sa.Connection, collection: str) -> None:
    """Take away the mark that the evidence of a collection must be counted again."""
    connection.execute(sa.delete(counters).where(counters.c.name == f"{_RECOUNT}{collection}"))


def first_open_week(connection: sa.Connection, collection: str) -> int | None:
    """Return the watermark, the first week that takes feedback in; None where all do."""
    statement = sa.select(counters.c.value).where(counters.c.name == f"{_OPEN_FROM}{collection}")
    return connection.execute(statement).scalar_one_or_none()


def raise_watermark(connection: sa.Connection, collection: str, first_open: int) -> int:
    """Raise the watermark to a week, and return where it is now; it never falls."""
    lock_evidence(connection, collection)
    before = first_open_week(connection, collection)
    after = first_open if before is None else max(before, first_open)
    upsert(connection, counters, [{"name": f"{_OPEN_FROM}{collection}", "value": after}])
    return after
