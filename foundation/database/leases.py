"""One holder a job across processes, and no write of a holder that lost it.

A lease has a number that grows with every new holder. Whoever works under a lease names it in every transaction
(`guarded`). So the database refuses a holder that was paused for longer than its lease and does not know that another
one took over.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from foundation.clock import Clock, SystemClock
from foundation.database.engine import checking, insert_missing, transaction
from foundation.database.tables import UtcDateTime, leases
from foundation.errors import Conflict, StoreAway
from foundation.ids import new_id
from foundation.processes.rounds import Rounds
from foundation.telemetry.logs import get_log

_HOLDER_LENGTH = 64
_RENEW_EVERY_S = 5.0
_FAR_AHEAD = 120
"""Durations after which no lease ends: with one of 30 s, an hour of the machine, on whichever clock is in use."""

_log = get_log("leases")


class LeaseLost(Conflict):
    """Another process holds the lease by now."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that somebody holds or held.

    Attributes:
        number: The fencing number; of two holders the later one has the greater.
    """

    name: str
    number: int


class Leases:
    """Named leases in the database; a holder that dies loses its lease when the time runs out.

    Args:
        holder: Name of this process. A unique part is added, so that no earlier process is taken for this one.
        clock: An accelerated clock shortens leases likewise. Instead of the system's own clock, processes on
            PostgreSQL go by the server's, for the clocks of several machines differ.
    """

    def __init__(self, engine: sa.Engine, clock: Clock, holder: str) -> None:
        self._engine = engine
        self._clock = clock
        own = new_id(clock.now())[-12:]
        self._holder = f"{holder[: _HOLDER_LENGTH - len(own) - 1]}/{own}"

    def take(self, name: str, duration: timedelta) -> Lease | None:
        """Take or renew a lease for `duration`; None when somebody else holds it. Never waits for it to end.

        A lease that ends further ahead than clocks differ was taken by a clock that was wrong: it counts as free.
        """
        mine = leases.c.holder == self._holder
        with transaction(self._engine) as connection:
            now = self._now(connection)
            free = (leases.c.holder == "") | (leases.c.until <= now) | (leases.c.until > now + _FAR_AHEAD * duration)
            statement = (
                sa.update(leases)
                .where(leases.c.name == name, mine | free)
                .values(holder=self._holder, until=now + duration, number=leases.c.number + sa.case((mine, 0), else_=1))
                .returning(leases.c.number)
            )
            insert_missing(connection, leases, [{"name": name, "holder": "", "until": now, "number": 0}])
            number = connection.execute(statement).scalar_one_or_none()
        return None if number is None else Lease(name, int(number))

    def renew(self, lease: Lease, duration: timedelta) -> bool:
        """Hold a lease for `duration` from now, whichever process took it; False when it is another's by now."""
        with transaction(self._engine) as connection:
            return _change(connection, lease, until=self._now(connection) + duration)

    def give(self, lease: Lease) -> bool:
        """Give a lease back; False when it was another's by now."""
        with transaction(self._engine) as connection:
            return _change(connection, lease, holder="")

    def guarded(self, lease: Lease) -> AbstractContextManager[None]:
        """Let every transaction that this thread opens in the block name `lease`.

        Raises:
            LeaseLost: By any of these transactions, when another process took the lease; it is rolled back.
        """
        return checking(self._engine, lambda connection: _check(connection, lease))

    @contextmanager
    def renewing(self, lease: Lease, duration: timedelta, every_s: float = _RENEW_EVERY_S) -> Iterator[None]:
        """Renew a lease in a thread as long as the block lasts; what is lost meanwhile is not taken again."""
        ended = threading.Event()
        thread = threading.Thread(target=self._renew, args=(lease, duration, every_s, ended), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _renew(self, lease: Lease, duration: timedelta, every_s: float, ended: threading.Event) -> None:
        rounds = Rounds(f"renewal of the lease {lease.name!r}")
        while not ended.wait(every_s):
            with rounds.guarded(), suppress(StoreAway):  # the log says so once; it is tried again
                if not self.renew(lease, duration):
                    _log.warning("lease lost to another process", lease=lease.name)
                    return

    def _now(self, connection: sa.Connection) -> datetime:
        if connection.dialect.name == "postgresql" and isinstance(self._clock, SystemClock):
            return connection.execute(sa.select(sa.func.clock_timestamp(type_=UtcDateTime()))).scalar_one()
        return self._clock.now()


def _change(connection: sa.Connection, lease: Lease, **values: Any) -> bool:
    mine = (leases.c.name == lease.name) & (leases.c.number == lease.number) & (leases.c.holder != "")
    return connection.execute(sa.update(leases).where(mine).values(values)).rowcount == 1


def _check(connection: sa.Connection, lease: Lease) -> None:
    """Keep a lease from being taken until the transaction ends; LeaseLost when it was."""
    held = (leases.c.name == lease.name) & (leases.c.number == lease.number)
    statement = sa.select(leases.c.number).where(held).with_for_update(read=True)
    if connection.execute(statement).scalar_one_or_none() is None:
        raise LeaseLost(f"another process took over {lease.name!r}; what this one would write is refused")
