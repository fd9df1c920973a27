"""Takes batches from the event log: effect and position move in one transaction, so each counts once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from collector.dead_letters.limit import USUAL_LIMIT, DeadLetterLimit, DeadLetterWatch, Place
from collector.dead_letters.store import collection_of, put_aside
from collector.intake.logged import UNREADABLE, read_checked
from collector.join.batch import fold_batch
from collector.join.replay import recount_marked
from foundation.clock import Clock, monotonic_s
from foundation.contracts import FeedbackEvent, Impression
from foundation.database.engine import transaction
from foundation.errors import ClickloopError, StoreAway
from foundation.eventlog.protocol import Record, Subscription
from foundation.settings import Settings
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import DEAD_LETTER_ALARMS, FOLDED, LAG

MAX_BATCH = 1000
_POLL_S = 0.2
_LINGER_S = 0.1  # let records gather: a batch costs little more than a record
_LAG_EVERY_S = 1.0
_RECOUNT_EVERY_S = 600.0
_REVIEW_EVERY_S = 60.0
_MIN_PAUSE_S = 0.1
_MAX_PAUSE_S = 2.0

_NOT_STORABLE = (
    *(sa.exc.DataError, sa.exc.IntegrityError),
    *(ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError),
)
"""What the content of a record raises, whoever wrote it; whatever else is raised, the database or the log is away."""
_LIMITS_EXCEEDED = "54"
"""The class of PostgreSQL's errors about what is too large for it, an index's row for instance."""

_log = get_log("collector")


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
        reviews: Called about once a minute between batches; one that fails is logged and called again.
        limit: From how many dead letters on an alarm is raised; nothing stops at it.
    """

    def __init__(
        self,
        engine: sa.Engine,
        subscription: Subscription,
        settings: Settings,
        clock: Clock,
        reviews: Sequence[Callable[[], object]] = (),
        limit: DeadLetterLimit = USUAL_LIMIT,
    ) -> None:
        self._engine = engine
        self._subscription = subscription
        self._settings = settings
        self._clock = clock
        self._must_rewind = False
        self._watch = DeadLetterWatch(limit)
        self._recounted = False
        self._recount_at_s = -_RECOUNT_EVERY_S
        self._lag_at_s = -_LAG_EVERY_S
        self._reviews = reviews
        self._reviewed_at_s = monotonic_s()

    def run(self, stop: threading.Event) -> None:
        """Take batches until `stop` is set; while the database or the log is away, try again ever slower."""
        pause_s = _MIN_PAUSE_S
        while not stop.is_set():
            try:
                taken = self.step()
                self._review_now_and_then()
                pause_s = _MIN_PAUSE_S
                if taken < MAX_BATCH:
                    stop.wait(_LINGER_S)
            except (sa.exc.SQLAlchemyError, ClickloopError) as problem:
                if isinstance(problem, ClickloopError) and not problem.retryable:
                    raise
                if not isinstance(problem, StoreAway):  # which the store itself reports, once
                    _log.error("batch put back, will be taken again", problem=str(problem), pause_s=pause_s)
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, _MAX_PAUSE_S)

    def step(self) -> int:
        """Take one batch and return how many records it had; waits at most 0.2 s for a first one.

        Whatever is raised, nothing of the batch has happened, and it comes again in the next step.
        Records that cannot be read or stored become dead letters and do not hold up the others, however many.
        """
        self._recount()
        if self._must_rewind:
            self._subscription.rewind()
        self._must_rewind = True
        records = self._subscription.poll(MAX_BATCH, _POLL_S)
        if records:
            self._take(records)
        self._must_rewind = False
        self._report_lag()
        return len(records)

    def _take(self, records: Sequence[Record]) -> None:
        try:
            self._commit(records, [_read(record) for record in records])
        except _Unfoldable as problem:
            if len(records) == 1:
                self._commit(records, [_Dead(records[0], str(problem))])
                return
            for record in records:
                self._take([record])

    def _commit(self, records: Sequence[Record], taken: Sequence[_Taken]) -> None:
        with transaction(self._engine) as connection:
            dropped = self._fold(connection, [one for one in taken if not isinstance(one, _Dead)])
            for dead in taken:
                if isinstance(dead, _Dead):
                    put_aside(connection, dead.record, dead.reason, self._clock.now())
            self._subscription.commit(connection, records)
        FOLDED.labels("erased").inc(dropped)
        for record, one in zip(records, taken, strict=True):
            self._report(record, one)

    def _fold(self, connection: sa.Connection, content: Sequence[Impression | FeedbackEvent]) -> int:
        try:
            return fold_batch(connection, content, self._settings)
        except _NOT_STORABLE as problem:
            raise _Unfoldable(str(problem)) from problem
        except sa.exc.StatementError as problem:
            if _is_about_content(problem):
                raise _Unfoldable(str(problem)) from problem
            raise

    def _report(self, record: Record, taken: _Taken) -> None:
        FOLDED.labels(_KINDS[type(taken)]).inc()
        place = Place(record.partition, collection_of(record))
        if isinstance(taken, _Dead) and not self._watch.is_over(place):
            _log.warning("record became a dead letter", position=record.position, reason=taken.reason)
        if self._watch.note(place, dead=isinstance(taken, _Dead)):
            self._report_alarm(place)

    def _report_alarm(self, place: Place) -> None:
        DEAD_LETTER_ALARMS.set(len(self._watch.over()))
        where = place._asdict() | {"run_limit": self._watch.limit.run, "share_limit": self._watch.limit.share}
        if self._watch.is_over(place):
            _log.error("too many records become dead letters; all are kept, see clickloop dead-letters", **where)
        else:
            _log.warning("records are taken again after too many dead letters", **where)

    def _recount(self) -> None:
        if not self._recounted and monotonic_s() - self._recount_at_s >= _RECOUNT_EVERY_S:
            self._recounted = recount_marked(self._engine, self._settings)
            self._recount_at_s = monotonic_s()

    def _review_now_and_then(self) -> None:
        if monotonic_s() - self._reviewed_at_s >= _REVIEW_EVERY_S:
            self._reviewed_at_s = monotonic_s()
            for review in self._reviews:
                _run_guarded(review)

    def _report_lag(self) -> None:
        now_s = monotonic_s()
        if now_s - self._lag_at_s >= _LAG_EVERY_S:
            self._lag_at_s = now_s
            LAG.set(self._subscription.lag())


_KINDS: dict[type, str] = {Impression: "impression", FeedbackEvent: "event", _Dead: "dead_letter"}


def _run_guarded(review: Callable[[], object]) -> None:
    try:
        review()
    except Exception as problem:  # noqa: BLE001  the other reviews and the batches go on, whatever one raises
        if not isinstance(problem, StoreAway):  # which the store itself reports, once
            _log.error("a review of the feedback failed, will be repeated", problem=str(problem))


def _is_about_content(problem: sa.exc.StatementError) -> bool:
    """Return whether a statement failed for what it was given: before the database saw it, or as too large for it."""
    if not isinstance(problem, sa.exc.DBAPIError):
        return True
    return str(getattr(problem.orig, "sqlstate", "") or "").startswith(_LIMITS_EXCEEDED)


def _read(record: Record) -> _Taken:
    try:
        return read_checked(record)
    except UNREADABLE as problem:
        return _Dead(record, str(problem))
