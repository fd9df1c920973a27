"""Query suggestions: `GET /v1/suggest`, from what people asked and were satisfied with."""

from __future__ import annotations

import math
import threading

import sqlalchemy as sa
import structlog

from collector.api import read_asked
from foundation.clock import Clock, monotonic_s
from foundation.errors import Overloaded, StoreAway
from serving.present.suggestions import SuggestedQuery, Suggestions

MAX_SUGGESTIONS = 20
_REFRESH_S = 60.0

_log = structlog.get_logger("clickloop.suggest")


class Suggester:
    """The suggestions of every collection, read again in the background each minute that they are asked for.

    Args:
        min_users: How many different people must have asked a query before it is shown to others.
    """

    def __init__(self, engine: sa.Engine, clock: Clock, min_users: int) -> None:
        self._engine = engine
        self._clock = clock
        self._min_users = min_users
        self._known: dict[str, tuple[float, Suggestions]] = {}
        self._reading = threading.Lock()

    def complete(self, collection: str, typed: str, limit: int) -> list[str]:
        """Return completions of what was typed; a collection's first call waits for the database."""
        if collection not in self._known:
            with self._reading:
                if collection not in self._known:  # others may have waited too
                    self._read(collection)
        read_at_s, known = self._known[collection]
        if monotonic_s() - read_at_s > _REFRESH_S and self._reading.acquire(blocking=False):
            threading.Thread(target=self._refresh, args=(collection,), name="suggestions", daemon=True).start()
        return known.complete(typed, limit)

    def _refresh(self, collection: str) -> None:
        """Read again what is known; what was known stays when the database cannot be read."""
        try:
            self._read(collection)
        except (sa.exc.SQLAlchemyError, StoreAway, Overloaded) as problem:
            _log.warning("suggestions could not be read again", collection=collection, problem=str(problem))
        finally:
            self._reading.release()

    def _read(self, collection: str) -> None:
        asked = read_asked(self._engine, collection, self._clock.now(), self._min_users)
        weighed = (SuggestedQuery(one.text, math.log1p(one.people) * one.satisfied) for one in asked)
        self._known[collection] = (monotonic_s(), Suggestions(weighed))
