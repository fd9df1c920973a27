"""One holder per job across processes."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from foundation.clock import Clock
from foundation.db import insert_missing, transaction
from foundation.tables import leases


class Leases:
    """Named leases in the database; a holder that dies loses its lease when the time runs out.

    Args:
        holder: Name of this process, unique among all.
        clock: Real time, shared by all processes; an accelerated clock shortens leases likewise.
    """

    def __init__(self, engine: sa.Engine, clock: Clock, holder: str) -> None:
        self._engine = engine
        self._clock = clock
        self._holder = holder

    def take(self, name: str, duration: timedelta) -> bool:
        """Take or renew a lease for `duration`; False when somebody else holds it. Never waits."""
        now = self._clock.now()
        with transaction(self._engine) as connection:
            insert_missing(connection, leases, [{"name": name, "holder": self._holder, "until": now}])
            taken = connection.execute(
                sa.update(leases)
                .where(leases.c.name == name, (leases.c.holder == self._holder) | (leases.c.until <= now))
                .values(holder=self._holder, until=now + duration)
            )
        return taken.rowcount == 1

    def give(self, name: str) -> None:
        """Give a lease back if this process holds it."""
        with transaction(self._engine) as connection:
            connection.execute(sa.delete(leases).where(leases.c.name == name, leases.c.holder == self._holder))
