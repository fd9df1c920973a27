"""Where the autopilot holds still because somebody said so: sole writer of autopilot_pauses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from foundation.clock import Clock
from foundation.database.engine import reading, take_numbers, transaction
from retrainer.tables import autopilot_pauses


@dataclass(frozen=True, slots=True)
class Pause:
    """Since when a collection's autopilot is paused, by whom and why."""

    at: datetime
    actor: str
    reason: str


class Pauses:
    """The pauses of all collections; each change is a row of its own, and none is ever changed."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def pause(self, collection: str, reason: str, actor: str) -> Pause:
        """Pause a collection's autopilot; one that is paused keeps its pause, which is returned."""
        return self.of(collection) or self._append(collection, reason, actor, paused=True)

    def resume(self, collection: str, reason: str, actor: str) -> None:
        """Let a collection's autopilot go on; does nothing where it is not paused."""
        if self.of(collection):
            self._append(collection, reason, actor, paused=False)

    def of(self, collection: str) -> Pause | None:
        """Return the pause of a collection, None where its autopilot goes on."""
        return self.all().get(collection)

    def all(self) -> dict[str, Pause]:
        """Return the pauses of all collections that are paused."""
        table, later = autopilot_pauses, autopilot_pauses.alias("later")
        replaced = sa.exists().where(later.c.collection == table.c.collection, later.c.number > table.c.number)
        standing = sa.select(table).where(table.c.paused, ~replaced)
        with reading(self._engine) as connection:
            return {row.collection: Pause(row.at, row.actor, row.reason) for row in connection.execute(standing)}

    def _append(self, collection: str, reason: str, actor: str, *, paused: bool) -> Pause:
        at = self._clock.now()
        with transaction(self._engine) as connection:
            number = take_numbers(connection, f"pauses:{collection}", 1)
            row = {"collection": collection, "number": number, "paused": paused, "reason": reason, "at": at}
            connection.execute(sa.insert(autopilot_pauses).values(**row, actor=actor))
        return Pause(at, actor, reason)
