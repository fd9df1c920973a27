"""An alarm for processes that do not collect: too many records became dead letters lately."""

from __future__ import annotations

import threading
from datetime import timedelta

import sqlalchemy as sa

from collector.dead_letters.limit import USUAL_LIMIT, DeadLetterLimit
from collector.tables import dead_letters
from foundation.clock import Clock, monotonic_s
from foundation.database.engine import reading
from foundation.errors import Overloaded, StoreAway
from foundation.telemetry.logs import get_log

LATELY = timedelta(minutes=15)
_REFRESH_S = 10.0

_log = get_log("dead_letters")


class DeadLetterAlarm:
    """Reads in the background which collections had too many dead letters lately. Safe for many threads."""

    def __init__(self, engine: sa.Engine, clock: Clock, limit: DeadLetterLimit = USUAL_LIMIT) -> None:
        self._engine = engine
        self._clock = clock
        self._limit = limit
        self._problems: list[str] = []
        self._read_at_s = float("-inf")
        self._reading = threading.Lock()

    def problems(self) -> list[str]:
        """Return a sentence for every collection with too many dead letters; never waits for the database."""
        if monotonic_s() - self._read_at_s > _REFRESH_S and self._reading.acquire(blocking=False):
            threading.Thread(target=self._refresh_quietly, name="dead-letter-alarm", daemon=True).start()
        return self._problems

    def refresh(self) -> list[str]:
        """Read anew what `problems` returns from now on; waits for the database."""
        lately = dead_letters.c.at > self._clock.now() - LATELY
        count = sa.func.count()
        statement = (
            sa.select(dead_letters.c.collection, count.label("letters"))
            .where(lately)
            .group_by(dead_letters.c.collection)
            .having(count > self._limit.run)
            .order_by(dead_letters.c.collection)
        )
        with reading(self._engine) as connection:
            self._problems = [_tell(row.collection, row.letters) for row in connection.execute(statement)]
        return self._problems

    def _refresh_quietly(self) -> None:
        try:
            self.refresh()
        except StoreAway:
            pass  # the store itself tells it once; what was known stays
        except (sa.exc.SQLAlchemyError, Overloaded) as problem:
            _log.warning("how many dead letters there are is not known", problem=str(problem))
        finally:
            self._read_at_s = monotonic_s()
            self._reading.release()


def _tell(collection: str, count: int) -> str:
    return (
        f"{count} records of collection {collection!r} became dead letters in the last "
        f"{LATELY.total_seconds() / 60:.0f} minutes; clickloop dead-letters --collection {collection} says why"
    )
