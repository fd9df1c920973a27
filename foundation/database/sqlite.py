"""SQLite's way to connect and to begin a transaction."""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa

from foundation.clock import monotonic_s

_ASK_AGAIN_MS = 20
_PAGES_PER_MIB = 256


def prepare_sqlite(checkpoint_mib: int, cache_mib: int, connection: Any, _record: Any) -> None:
    """Set up a new connection; see `make_engine`."""
    connection.isolation_level = None  # SQLAlchemy's "begin" event below opens transactions
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"wal_autocheckpoint={checkpoint_mib * _PAGES_PER_MIB}",
        f"cache_size={-1024 * cache_mib}",  # in KiB when negative
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def begin_sqlite(connection: sa.Connection) -> None:
    """Begin what `transaction` or `reading` asks for: writers at once, so that two never fail half way."""
    options = connection.get_execution_options()
    if options.get("clickloop_once", False):
        return
    if not options.get("clickloop_write", False):
        connection.exec_driver_sql("BEGIN")
        return
    wait_ms = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
    connection.exec_driver_sql(f"PRAGMA busy_timeout={_ASK_AGAIN_MS}")
    try:
        while not _begin_writing(connection, options["clickloop_until_s"]):
            pass
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={wait_ms}")


def _begin_writing(connection: sa.Connection, until_s: float) -> bool:
    """Begin a write transaction; False when others write, and it is not yet time to give up.

    SQLite's own waits grow ever longer, and a busy writer's short pauses are missed by them.
    """
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except sa.exc.OperationalError as problem:
        if getattr(problem.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY or monotonic_s() >= until_s:
            raise
        return False
    return True
