"""Takes batches from the event log: effect and position move in one transaction, so each counts once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from collector.dead_letters import keep
from collector.erasure import sweep
from collector.intake.logged import read
from collector.store import fold_batch
from foundation.clock import Clock, monotonic_s
from foundation.contracts import FeedbackEvent, Impression
from foundation.db import transaction
from foundation.errors import ClickloopError
from foundation.eventlog import Record, Subscription
from foundation.settings import Settings
from foundation.telemetry import FOLDED, LAG, get_log

MAX_BATCH = 1000
MAX_DEAD_IN_A_ROW = 100
_POLL_S = 0.2
_LINGER_S = 0.1  # let records gather: a batch costs little more than a record
_LAG_EVERY_S = 1.0
_SWEEP_EVERY_S = 60.0
_LOOK_EVERY_S = 60.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 10.0

_log = get_log("collector")


class TooManyDeadLetters(ClickloopError):
    """The log holds something that this release cannot read."""

    slug: ClassVar[str] = "too-many-dead-letters"


class _Unfoldable(Exception):
    """A batch holds a record that the database refuses."""


@dataclass(frozen=True, slots=True)
class _Dead:
    """A record that cannot be taken, and why."""

    record: Record
    reason: str


_Taken = Impression | FeedbackEvent | _Dead


class Consumer:
    """Folds the log into evidence. Used by one thread; several consumers may run side by side.

    Args:
        subscription: The consumer's place in the log; the caller closes it.
        look: Called about once a minute between batches, to look at what was folded.
    """

    def __init__(
        self,
        engine: sa.Engine,
        subscription: Subscription,
        settings: Settings,
        clock: Clock,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._subscription = subscription
        self._settings = settings
        self._clock = clock
        self._must_rewind = False
        self._dead_in_a_row = 0
        self._lag_at_s = -_LAG_EVERY_S
        self._swept_at_s = -_SWEEP_EVERY_S
        self._look = look
        self._look_at_s = monotonic_s()

    def run(self, stop: threading.Event) -> None:
        """Take batches until `stop` is set; while the database or the log is away, try again ever slower.

        Raises:
            TooManyDeadLetters: See `step`.
        """
        pause_s = _FIRST_PAUSE_S
        while not stop.is_set():
            try:
                taken = self.step()
                self._look_now_and_then()
                pause_s = _FIRST_PAUSE_S
                if taken < MAX_BATCH:
                    stop.wait(_LINGER_S)
            except (sa.exc.SQLAlchemyError, ClickloopError) as problem:
                if isinstance(problem, ClickloopError) and not problem.retryable:
                    raise
                _log.error("batch put back, will be taken again", problem=str(problem), pause_s=pause_s)
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def stand_by(self, stop: threading.Event) -> None:
        """Take nothing more until `stop` is set, but go on telling how many records wait."""
        while not stop.wait(_LAG_EVERY_S):
            try:
                self._report_lag()
            except (sa.exc.SQLAlchemyError, ClickloopError) as problem:
                _log.error("how many records wait is not known", problem=str(problem))

    def step(self) -> int:
        """Take one batch and return how many records it had; waits at most 0.2 s for a first one.

        Whatever is raised, nothing of the batch has happened, and it comes again in the next step.
        Records that cannot be read or stored become dead letters and do not hold up the others.

        Raises:
            TooManyDeadLetters: More than 100 in a row; all of them are kept as dead letters.
        """
        if self._must_rewind:
            self._subscription.rewind()
        self._must_rewind = True
        records = self._subscription.poll(MAX_BATCH, _POLL_S)
        if records:
            self._take(records)
        self._must_rewind = False
        self._report_lag()
        self._sweep()
        return len(records)

    def _take(self, records: Sequence[Record]) -> None:
        try:
            self._commit(records, [_read(record) for record in records])
        except _Unfoldable:
            for record in records:
                self._take_alone(record)

    def _take_alone(self, record: Record) -> None:
        try:
            self._commit([record], [_read(record)])
        except _Unfoldable as problem:
            self._commit([record], [_Dead(record, str(problem))])

    def _commit(self, records: Sequence[Record], taken: Sequence[_Taken]) -> None:
        with transaction(self._engine) as connection:
            dropped = self._fold(connection, [one for one in taken if not isinstance(one, _Dead)])
            for dead in taken:
                if isinstance(dead, _Dead):
                    keep(connection, dead.record, dead.reason, self._clock.now())
            self._subscription.commit(connection, records)
        FOLDED.labels("erased").inc(dropped)
        self._report(taken)

    def _fold(self, connection: sa.Connection, content: Sequence[Impression | FeedbackEvent]) -> int:
        try:
            return fold_batch(connection, content, self._settings)
        except (sa.exc.DataError, sa.exc.IntegrityError, ValueError, TypeError, ArithmeticError) as problem:
            raise _Unfoldable(str(problem)) from problem

    def _report(self, taken: Sequence[_Taken]) -> None:
        for one in taken:
            FOLDED.labels(_KINDS[type(one)]).inc()
            if isinstance(one, _Dead):
                _log.warning("record became a dead letter", position=one.record.position, reason=one.reason)
                self._dead_in_a_row += 1
            else:
                self._dead_in_a_row = 0
            if self._dead_in_a_row > MAX_DEAD_IN_A_ROW:
                self._give_up()

    def _give_up(self) -> None:
        message = (
            f"more than {MAX_DEAD_IN_A_ROW} log records in a row cannot be read; they are kept in dead_letters with "
            "their reasons. Check which release writes this log, then start the collector again."
        )
        _log.error(message)
        raise TooManyDeadLetters(message)

    def _sweep(self) -> None:
        now_s = monotonic_s()
        if now_s - self._swept_at_s >= _SWEEP_EVERY_S:
            self._swept_at_s = now_s
            sweep(self._engine, self._clock.now())

    def _look_now_and_then(self) -> None:
        if monotonic_s() - self._look_at_s >= _LOOK_EVERY_S:
            self._look_at_s = monotonic_s()
            self._look()

    def _report_lag(self) -> None:
        now_s = monotonic_s()
        if now_s - self._lag_at_s >= _LAG_EVERY_S:
            self._lag_at_s = now_s
            LAG.set(self._subscription.lag())


_KINDS: dict[type, str] = {Impression: "impression", FeedbackEvent: "event", _Dead: "dead_letter"}


def _read(record: Record) -> _Taken:
    try:
        return read(record)
    except (ValueError, OverflowError, RecursionError) as problem:  # numbers and nesting beyond all measure
        return _Dead(record, str(problem))
