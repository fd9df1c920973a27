"""Removes the events and impressions of weeks that are not kept any more, a little at a time."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from collector.join.outcomes import refolding
from collector.join.retention_watermark import collections_with_evidence, raise_watermark
from collector.join.scope import Scope
from collector.tables import events, impressions
from foundation.clock import Clock, period_of, start_of_period
from foundation.database.engine import reading, transaction
from foundation.database.leases import Lease, Leases
from foundation.errors import ClickloopError
from foundation.processes.rounds import Rounds
from foundation.settings import Settings
from foundation.telemetry.logs import get_log

LEASE = "retention"
_AT_ONCE = 500
_EVERY_S = 3600.0
_FIRST_S = 30.0
_PAUSE_S = 0.05  # leaves the database to others between two batches

_log = get_log("retention")


class Retention:
    """Keeps what is stored within `retention_days`; of all processes, the one with the lease works.

    A week is removed when it lies wholly before the days that are kept. Its evidence stays. Its outcomes go, for they
    say what each person did; so an experiment must not run longer than feedback is kept.
    """

    def __init__(self, engine: sa.Engine, settings: Settings, clock: Clock, leases: Leases) -> None:
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._leases = leases

    def run(self, stop: threading.Event) -> None:
        """Remove what is too old now and once an hour, until `stop` is set; nothing where all is kept."""
        wait_s, rounds = _FIRST_S, Rounds("removal of old feedback")
        while self._settings.retention_days and not stop.wait(wait_s):
            wait_s = _EVERY_S
            with rounds.guarded():
                self._sweep_and_log(stop)

    def _sweep_and_log(self, stop: threading.Event) -> None:
        try:
            removed = self.sweep(stop)
        except (sa.exc.SQLAlchemyError, ClickloopError) as problem:
            _log.error("old feedback could not be removed, will be tried again", problem=str(problem))
            return
        if removed:
            _log.info("old feedback removed", **removed)

    def sweep(self, stop: threading.Event) -> Counter[str]:
        """Remove what is too old; return how many `impressions` and `events` that were.

        Ends early when `stop` is set or another process works; what is left is removed the next time.
        """
        removed: Counter[str] = Counter()
        first_open = period_of(self._clock.now() - timedelta(days=self._settings.retention_days))
        with reading(self._engine) as connection:
            collections = collections_with_evidence(connection)
        for collection in collections:
            if (lease := self._take()) is None:
                return removed
            with self._leases.guarded(lease), transaction(self._engine) as connection:
                start = start_of_period(raise_watermark(connection, collection, first_open))
            while batch := self._remove_some(collection, start, lease):
                removed += batch
                if stop.wait(_PAUSE_S) or (lease := self._take()) is None:
                    return removed
            self._leases.give(lease)
        return removed

    def _take(self) -> Lease | None:
        return self._leases.take(LEASE, self._settings.lease_duration())

    def _remove_some(self, collection: str, start: datetime, lease: Lease) -> Counter[str]:
        """Remove some impressions of before `start` with their events, or some events that wait for none."""
        with self._leases.guarded(lease), transaction(self._engine) as connection:
            scope = Scope.lock(connection, collection, self._settings)
            shown = list(connection.execute(_old_impressions(collection, start)).scalars())
            waiting = [] if shown else list(connection.execute(_old_events(collection, start)).scalars())
            joined = _delete(connection, events, events.c.query_id, collection, shown)
            joined += _delete(connection, events, events.c.id, collection, waiting)
            with refolding(scope, shown):
                _delete(connection, impressions, impressions.c.query_id, collection, shown)
        return +Counter(impressions=len(shown), events=joined)


def _old_impressions(collection: str, start: datetime) -> sa.Select[Any]:
    old = (impressions.c.collection == collection) & (impressions.c.at < start)
    return sa.select(impressions.c.query_id).where(old).order_by(impressions.c.at).limit(_AT_ONCE)


def _old_events(collection: str, start: datetime) -> sa.Select[Any]:
    """Return the ids of events that were received before `start` and have no impression."""
    known = sa.exists().where(
        impressions.c.collection == events.c.collection, impressions.c.query_id == events.c.query_id
    )
    old = (events.c.collection == collection) & (events.c.received_at < start) & ~known
    return sa.select(events.c.id).where(old).order_by(events.c.received_at).limit(_AT_ONCE)


def _delete(connection: sa.Connection, table: sa.Table, key: sa.Column[Any], collection: str, values: list[str]) -> int:
    if not values:
        return 0
    return connection.execute(sa.delete(table).where(table.c.collection == collection, key.in_(values))).rowcount
