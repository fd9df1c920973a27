"""Which collections should train, by what the database says: time, new clicks, or an erased person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from collector.api import collections_erased_since, count_clicks_since, erased_versions, first_shown
from foundation.clock import Clock
from foundation.database.engine import reading
from foundation.database.tables import UtcDateTime
from retrainer.runs import LEARNERS, Learners, is_busy
from retrainer.tables import training_runs

NextFire = Callable[[datetime], datetime]
"""Returns when a run is due after one that was requested at a moment."""


def every(interval: timedelta) -> NextFire:
    """Return the rule of a fixed interval."""
    return lambda at: at + interval


@dataclass(frozen=True, slots=True)
class Due:
    """When a collection should train.

    Attributes:
        at: The moment, which may be past; None where nothing was ever shown, so that there is nothing to learn from.
        clicks: New clicks since the last run, where these can make it due.
        busy: Whether a run is active that holds up the next.
        now: Whether a run should be requested.
    """

    at: datetime | None
    clicks: int
    busy: bool
    now: bool


@dataclass(frozen=True, slots=True)
class Timetable:
    """Finds the collections that should train because it is time, or because enough was clicked.

    Attributes:
        after: Tells when the run after another one is due.
        collections: Returns the names of the collections to train on schedule.
        learners: What is scheduled. The encoder waits for the last run that fine-tuned it, the fast learners for any.
        clicks: So many new clicks make a run due before its time; 0: none do.
    """

    engine: sa.Engine
    clock: Clock
    after: NextFire
    collections: Callable[[], list[str]]
    learners: Learners = "fast"
    clicks: int = 0

    def due(self) -> list[str]:
        """Return the collections for which a run should be requested now, sorted.

        A run is due when the rule says so after the last one was requested, by whomever. Where there was none, the rule
        counts from the first list shown, for before that there is nothing to learn from. Only the database says so: no
        stall and no restart moves it. No run is due while one is active, but for one at its holdback. A run of the
        future, written by a clock that was put right since, counts while it lies before the next one due from now, as
        one of the past does.
        """
        return sorted(collection for collection, one in self.look(self.collections()).items() if one.now)

    def look(self, collections: list[str]) -> dict[str, Due]:
        """Return when each collection should train; a few statements, however many they are."""
        now = self.clock.now()
        with reading(self.engine) as connection:
            runs = _read_runs(connection, self.after(now), self.learners)
            new = [one for one in collections if one not in runs]
            shown = first_shown(connection, new)
            since = {name: one.last or now for name, one in runs.items() if name in collections} | shown
            clicked = count_clicks_since(connection, since) if self.clicks else {}
        return {name: self._due(now, runs.get(name), shown.get(name), clicked.get(name, 0)) for name in collections}

    def _due(self, now: datetime, runs: _Runs | None, shown: datetime | None, clicks: int) -> Due:
        busy = runs is not None and runs.busy
        last = runs.last if runs else shown
        if last is None:
            return Due(now if runs else None, clicks, busy, runs is not None and not busy)
        at = self.after(last)
        return Due(at, clicks, busy, not busy and (at <= now or 0 < self.clicks <= clicks))


@dataclass(frozen=True, slots=True)
class ErasureRetraining:
    """Reads the collector's receipts of erasures."""

    engine: sa.Engine

    def tainted(self, collection: str) -> frozenset[str]:
        """Return the versions of a collection that may have learned from an erased person."""
        with reading(self.engine) as connection:
            return erased_versions(connection, collection)

    def due(self) -> list[str]:
        """Return the collections with such versions and no training run asked for since the erasure."""
        asked = (
            sa.select(training_runs.c.collection, sa.func.max(training_runs.c.requested_at).label("at"))
            .group_by(training_runs.c.collection)
            .subquery()
        )
        with reading(self.engine) as connection:
            return sorted(collections_erased_since(connection, asked))


@dataclass(frozen=True, slots=True)
class _Runs:
    """What the table says of a collection's runs: when the last one that counts was requested, and if one is active."""

    last: datetime | None
    busy: bool


def _read_runs(connection: sa.Connection, before: datetime, learners: Learners) -> dict[str, _Runs]:
    """Return every collection that ever had a run; of those requested from `before` on, none counts as the last."""
    counts = training_runs.c.requested_at < before
    if learners != "fast":
        counts &= training_runs.c.report[LEARNERS].as_string() == learners
    last = sa.func.max(sa.case((counts, training_runs.c.requested_at)), type_=UtcDateTime())
    busy = sa.func.max(sa.case((is_busy(), 1), else_=0))
    rows = connection.execute(sa.select(training_runs.c.collection, last, busy).group_by(training_runs.c.collection))
    return {name: _Runs(at, bool(active)) for name, at, active in rows}
