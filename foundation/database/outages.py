"""Stores that do not answer: which errors say so, and what is known of it.

A store is away when it may help to ask again later: it is locked, full, stopped, or cannot be reached. Any other
complaint of a database is a fault of ours and stays the error that it is. A store is not away because this process is
too busy with it: whoever waits in vain for a turn or a connection gets Overloaded.
"""

from __future__ import annotations

import sqlite3
import threading
from typing import Literal

import sqlalchemy as sa

from foundation.clock import monotonic_s
from foundation.errors import StoreAway, StoreFull
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import STORE_AWAY

_SQLITE_AWAY = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
)
_SQLITE_PRIMARY = 0xFF
"""The part of SQLite's extended error codes that says the kind."""

_POSTGRES_FULL = "53100"
_POSTGRES_AWAY = ("08", "53", "57P", "55P03", "25006")
"""Beginnings of SQLSTATE: no connection, no resources, shut down, locked, and a standby that only reads."""

_log = get_log("stores")


def outage_of(problem: BaseException, store: str) -> StoreAway | None:
    """Return the outage that a database's error shows, None when it shows none."""
    cause = problem.orig if isinstance(problem, sa.exc.DBAPIError) else problem
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause, store)
    if isinstance(problem, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.InternalError):
        return _of_postgres(cause, store, lost=problem.connection_invalidated)
    return None


def _of_sqlite(cause: sqlite3.Error, store: str) -> StoreAway | None:
    code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _SQLITE_PRIMARY
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(f"the {store} has no room left: {cause}; make room on its disk, then send the request again")
    if code in _SQLITE_AWAY:
        return StoreAway(f"the {store} cannot be used now: {cause}; send the request again")
    return None


def _of_postgres(cause: BaseException | None, store: str, *, lost: bool) -> StoreAway | None:
    state = getattr(cause, "sqlstate", "") or ""
    reason = " ".join(str(cause).split())
    if state == _POSTGRES_FULL:
        return StoreFull(f"the {store} has no room left: {reason}; make room on its disk, then send the request again")
    if lost or state.startswith(_POSTGRES_AWAY) or (not state and hasattr(cause, "sqlstate")):
        return StoreAway(f"the {store} does not answer: {reason}; send the request again")
    return None


class Outage:
    """Whether a store is away. The log says it once when it goes and once when it is back.

    Args:
        store: What people call it, such as "database".
    """

    def __init__(self, store: str, use: Literal["read", "written"]) -> None:
        self._what = f"the {store} cannot be {use}"
        self._gauge = STORE_AWAY.labels(store, use)
        self._because = ""
        self._since_s = 0.0
        self._lock = threading.Lock()
        self.trial = threading.RLock()
        """Held by the thread that asks a store that is away; the others need not wait for the same answer."""

    @property
    def on(self) -> bool:
        """Whether the store is away, as far as is known."""
        return bool(self._because)

    def begin(self, problem: StoreAway) -> None:
        """Note that the store does not answer."""
        with self._lock:
            before, self._because = self._because, problem.detail
            if before:
                return
            self._since_s = monotonic_s()
        self._gauge.set(1)
        _log.error("store away", what=self._what, because=problem.detail)

    def end(self) -> None:
        """Note that the store answers."""
        if not self._because:  # nearly always; no lock for it
            return
        with self._lock:
            if not self._because:
                return
            self._because = ""
        self._gauge.set(0)
        _log.info("store back", what=self._what, after_s=round(monotonic_s() - self._since_s, 1))

    def refusal(self) -> StoreAway:
        """Return the error for those who come while another asks whether the store is back."""
        return StoreAway(f"{self._what}: {self._because}")

    def problems(self) -> list[str]:
        """Return that the store is away as a sentence, nothing while it answers."""
        because = self._because
        if not because:
            return []
        return [f"{self._what} for {monotonic_s() - self._since_s:.0f} s: {because.partition(';')[0]}"]
