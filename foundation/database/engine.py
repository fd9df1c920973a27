"""The database engine and the one way to open a transaction."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url

from foundation.clock import monotonic_s
from foundation.database.outages import Outage, outage_of
from foundation.database.sqlite import begin_sqlite, prepare_sqlite
from foundation.database.tables import counters
from foundation.disk.folders import make_folder
from foundation.errors import Overloaded

LOCK_TIMEOUT_S = 30.0
"""How long work in the background waits for a store that others hold."""

REQUEST_LOCK_TIMEOUT_S = 1.2
"""The same of what answers requests, whose callers can come again."""

_TAKE = (  # made once: making it takes longer than running it
    sa.update(counters)
    .where(counters.c.name == sa.bindparam("counter"))
    .values(value=counters.c.value + sa.bindparam("count"))
    .returning(counters.c.value)
)

_checks: ContextVar[tuple[tuple[sa.Engine, Callable[[sa.Connection], None]], ...]] = ContextVar("checks", default=())


class _Store:
    """What is known of an engine's database, for all threads of this process.

    Attributes:
        turn: Held by the one writer of an SQLite file.
    """

    def __init__(self, name: str, lock_timeout_s: float, *, one_writer: bool) -> None:
        self.name = name
        self.lock_timeout_s = lock_timeout_s
        self.turn = threading.Lock() if one_writer else None
        self.reads = Outage(name, "read")
        self.writes = Outage(name, "written")


_stores: WeakKeyDictionary[sa.Engine, _Store] = WeakKeyDictionary()


def make_engine(
    url: str,
    checkpoint_mib: int = 4,
    cache_mib: int = 2,
    lock_timeout_s: float = LOCK_TIMEOUT_S,
    name: str = "database",
) -> sa.Engine:
    """Return an engine for SQLite or PostgreSQL.

    SQLite runs in WAL mode with full synchronisation: a committed transaction survives the loss of the process and of
    power. Its write transactions begin immediately, so two writers wait for each other instead of failing half way.

    Args:
        checkpoint_mib: How far SQLite's write-ahead log grows before a commit carries it over. With more, fewer pages
            are written twice, but the commit that carries them over takes longer.
        cache_mib: Memory for SQLite's pages, of each connection.
        lock_timeout_s: Longest wait for a connection, and for whoever writes before.
        name: What people call this store.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = sa.create_engine(
            parsed, pool_pre_ping=True, pool_size=10, max_overflow=20, pool_timeout=lock_timeout_s
        )
        if parsed.get_driver_name() == "psycopg":
            from foundation.database.postgres import watch_connections  # noqa: PLC0415  needs psycopg, which only its extra installs

            watch_connections(engine)
        _stores[engine] = _Store(name, lock_timeout_s, one_writer=False)
        return engine
    if parsed.database and parsed.database != ":memory:":
        make_folder(Path(parsed.database).parent)
    engine = sa.create_engine(
        parsed, connect_args={"timeout": lock_timeout_s}, pool_size=10, max_overflow=40, pool_timeout=lock_timeout_s
    )
    event.listen(engine, "connect", partial(prepare_sqlite, checkpoint_mib, cache_mib))
    event.listen(engine, "begin", begin_sqlite)
    _stores[engine] = _Store(name, lock_timeout_s, one_writer=True)
    return engine


def problems_of(engine: sa.Engine) -> list[str]:
    """Return what is known to be amiss with an engine's database, as sentences; asks nothing."""
    store = _store_of(engine)
    return store.reads.problems() + store.writes.problems()


def writes_of(engine: sa.Engine) -> Outage:
    """Return whether an engine's database cannot be written; `transaction` begins and ends it."""
    return _store_of(engine).writes


def _store_of(engine: sa.Engine) -> _Store:
    store = _stores.get(engine)
    if store is None:  # made elsewhere
        store = _stores[engine] = _Store("database", LOCK_TIMEOUT_S, one_writer=False)
    return store


@contextmanager
def transaction(engine: sa.Engine, lock_timeout_s: float | None = None) -> Iterator[sa.Connection]:
    """Open a write transaction: commits at the end of the block, rolls back on any exception.

    SQLite's writers of one process take turns here. Left to themselves they would ask for the file ever more seldom,
    and a busy one would keep the others out for seconds.

    Args:
        lock_timeout_s: Longest wait for whoever writes before; the engine's own by default.

    Raises:
        StoreAway: The database cannot be written now; nothing was.
        Overloaded: It can, but this process is too busy with it: no turn or connection came free in time.
    """
    store = _store_of(engine)
    until_s = monotonic_s() + (store.lock_timeout_s if lock_timeout_s is None else lock_timeout_s)
    with _watched(store, store.writes), _turn(store, until_s), engine.connect() as connection:
        connection.execution_options(clickloop_write=True, clickloop_until_s=until_s)
        with connection.begin():
            for checked, check in _checks.get():
                if checked is engine:
                    check(connection)
            yield connection
    store.reads.end()


@contextmanager
def checking(engine: sa.Engine, check: Callable[[sa.Connection], None]) -> Iterator[None]:
    """Begin every write transaction of `engine` that this thread opens in the block with `check`, which may raise."""
    before = _checks.set((*_checks.get(), (engine, check)))
    try:
        yield
    finally:
        _checks.reset(before)


@contextmanager
def reading(engine: sa.Engine, *, once: bool = False) -> Iterator[sa.Connection]:
    """Open a connection for reads; sees one consistent snapshot and blocks no writer.

    Args:
        once: Only one statement is run, which needs no transaction around it.

    Raises:
        StoreAway: The database cannot be read now.
        Overloaded: It can, but no connection of this process came free in time.
    """
    store = _store_of(engine)
    with _watched(store, store.reads), engine.connect() as connection:
        if once and engine.dialect.name == "sqlite":
            connection.execution_options(clickloop_once=True)
        elif once:
            connection.execution_options(isolation_level="AUTOCOMMIT")
        yield connection


@contextmanager
def _watched(store: _Store, outage: Outage) -> Iterator[None]:
    """Note whether the store answers. While it is away, one at a time asks it; the others are refused at once."""
    trial = outage.on
    if trial and not outage.trial.acquire(blocking=False):
        raise outage.refusal()
    try:
        yield
        outage.end()
    except sa.exc.TimeoutError as problem:  # of the pool; it says nothing of the store
        raise Overloaded(f"the {store.name} is busy: {problem}; send the request again") from problem
    except (sa.exc.SQLAlchemyError, sqlite3.Error) as problem:
        away = outage_of(problem, store.name)
        if away is None:
            raise
        outage.begin(away)
        raise away from problem
    finally:
        if trial:
            outage.trial.release()


@contextmanager
def _turn(store: _Store, until_s: float) -> Iterator[None]:
    """Wait for the writer before, which nobody needs to on PostgreSQL."""
    if store.turn is None:
        yield
        return
    if not store.turn.acquire(timeout=max(0.0, until_s - monotonic_s())):
        raise Overloaded(f"the {store.name} is busy: others write to it all the time; send the request again")
    try:
        yield
    finally:
        store.turn.release()


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


def increment(connection: sa.Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add `rows` to those with the same primary key, column by column; insert those that there are none of.

    Args:
        rows: Values of all columns in their order, as the driver takes them.
    """
    if rows:
        connection.exec_driver_sql(_increment(connection, table), list(rows))


_increments: dict[tuple[str, str], str] = {}
"""Statements of `increment` by dialect and table, made once."""


def _increment(connection: sa.Connection, table: sa.Table) -> str:
    """Return the statement for the driver, values by position: a third of the time of a row goes by this way."""
    name = connection.dialect.name
    if (name, table.name) not in _increments:
        statement = _dialect_insert(connection, table)
        keys = [column.name for column in table.primary_key]
        added = {one.name: one + statement.excluded[one.name] for one in table.columns if one.name not in keys}
        style = "format" if name == "postgresql" else "qmark"
        by_position = sa.create_mock_engine(connection.engine.url, lambda *_: None, paramstyle=style)
        made = statement.on_conflict_do_update(index_elements=keys, set_=added).compile(by_position)
        _increments[name, table.name] = str(made)
    return _increments[name, table.name]


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
