"""The database engine and the one way to open a transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url

from foundation.folders import make_folder
from foundation.tables import counters

BUSY_TIMEOUT_S = 30
_PAGES_PER_MIB = 256

_TAKE = (  # made once, for to make it takes longer than to run it
    sa.update(counters)
    .where(counters.c.name == sa.bindparam("counter"))
    .values(value=counters.c.value + sa.bindparam("count"))
    .returning(counters.c.value)
)

_turns: WeakKeyDictionary[sa.Engine, threading.Lock] = WeakKeyDictionary()


def make_engine(url: str, checkpoint_mib: int = 4, cache_mib: int = 2) -> sa.Engine:
    """Return an engine for SQLite or PostgreSQL.

    SQLite runs in WAL mode with full synchronisation: a committed transaction survives the loss
    of the process and of power. Its write transactions begin immediately, so two writers wait for
    each other (at most 30 s) instead of failing half way.

    Args:
        checkpoint_mib: How far SQLite's write-ahead log grows before a commit carries it over. The more,
            the fewer pages are written twice, and the longer the one commit that does it takes.
        cache_mib: Memory for SQLite's pages, of each connection.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=20)
    if parsed.database and parsed.database != ":memory:":
        make_folder(Path(parsed.database).parent)
    engine = sa.create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_S}, pool_size=10, max_overflow=40)
    event.listen(engine, "connect", partial(_prepare_sqlite, checkpoint_mib, cache_mib))
    event.listen(engine, "begin", _begin_sqlite)
    _turns[engine] = threading.Lock()
    return engine


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a write transaction: commits at the end of the block, rolls back on any exception.

    SQLite's writers of one process take turns here; left to themselves they would ask the file again
    and again, ever more seldom, and a busy one would keep the others out for seconds.
    """
    with _turns.get(engine, nullcontext()), engine.connect() as connection:
        connection.execution_options(clickloop_write=True)
        with connection.begin():
            yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a connection for reads; sees one consistent snapshot and blocks no writer."""
    with engine.connect() as connection:
        yield connection


def insert_missing(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert `rows` but leave those whose primary or unique key exists as they are."""
    if rows:
        connection.execute(_dialect_insert(connection, table).on_conflict_do_nothing(), rows)


def upsert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert `rows`, replacing those whose primary key exists. Every row has the same columns."""
    if not rows:
        return
    statement = _dialect_insert(connection, table)
    keys = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def take_numbers(connection: sa.Connection, counter: str, count: int) -> int:
    """Take `count` consecutive numbers from a named counter and return the first of them.

    The counter's row stays locked until the transaction ends, so numbers become visible to
    readers in order and without gaps: a reader that has seen n has seen everything below n.
    """
    wanted = {"counter": counter, "count": count}
    after = connection.execute(_TAKE, wanted).scalar_one_or_none()
    if after is None:
        insert_missing(connection, counters, [{"name": counter, "value": 0}])
        after = connection.execute(_TAKE, wanted).scalar_one()
    return int(after) - count + 1


def _dialect_insert(connection: sa.Connection, table: sa.Table) -> Any:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as pg_insert  # noqa: PLC0415  one of the two is needed

        return pg_insert(table)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert  # noqa: PLC0415  one of the two is needed

    return sqlite_insert(table)


def _prepare_sqlite(checkpoint_mib: int, cache_mib: int, connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event below opens transactions
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_S * 1000}",
        f"wal_autocheckpoint={checkpoint_mib * _PAGES_PER_MIB}",
        f"cache_size={-1024 * cache_mib}",  # in KiB when negative
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get("clickloop_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
