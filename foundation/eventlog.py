"""The durable log between the edges and the collector: publish, then consume exactly once.

`EmbeddedLog` keeps records in the SQL database and needs no broker; `foundation.kafka` speaks to
Kafka. Both promise the same: a record whose append has finished is durable; a subscription reads
records in order; and its position moves in the transaction that holds the effect of what it read.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from foundation.db import reading, take_numbers, transaction, upsert
from foundation.errors import NotReady, Overloaded
from foundation.tables import log_positions, log_records

FEEDBACK_TOPIC = "feedback"
_MAX_WAITING_APPENDS = 4096
_MAX_GROUP = 256
_IDLE_S = 0.02
_TRIM_EVERY_S = 5.0
_TRIM_AT_ONCE = 5000
_INSERT = sa.insert(log_records)


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the log.

    Attributes:
        key: Records of one key keep their order.
        body: JSON text.
        position: Where it stands in its partition; given by the log.
    """

    key: str
    body: str
    position: int = 0
    partition: int = 0


class Subscription(Protocol):
    """One consumer's place in the log. Used by one thread."""

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """Return the next records, waiting at most `timeout_s` for a first one."""

    def commit(self, connection: sa.Connection, records: Sequence[Record]) -> None:
        """Move past `records` inside the caller's transaction; nothing moves if it rolls back.

        If it does roll back, the same records come again from `poll`.
        """

    def lag(self) -> int:
        """Return how many records are waiting."""

    def rewind(self) -> None:
        """Read again from the committed position, after a transaction was rolled back."""

    def close(self) -> None:
        """Leave the log."""


class EventLog(Protocol):
    """Where feedback is durable first."""

    def append(self, records: Sequence[Record]) -> Future[None]:
        """Append all records or none; the future is done when they are durable.

        Raises:
            Overloaded: Too many appends are waiting; nothing was appended.
        """

    def subscribe(self, consumer: str) -> Subscription:
        """Return the place of a named consumer; the same name goes on where it stopped."""

    def forget(self, collection: str, text: str) -> int:
        """Delete what waits of a collection and holds `text`; returns how many records.

        A log whose records cannot be deleted one by one deletes none and returns 0.
        """

    def close(self) -> None:
        """Finish the appends under way and stop."""


class EmbeddedLog:
    """The log in an SQL database, with group commit: waiting appends share one disk flush.

    Args:
        engine: The database of the effects; positions are kept there, beside them.
        topic: Name of the log.
        records: The database of the records. SQLite has one writer at a time, so a file of its own
            keeps appends from waiting for the consumer's transactions; by default `engine`.
    """

    def __init__(self, engine: sa.Engine, topic: str = FEEDBACK_TOPIC, records: sa.Engine | None = None) -> None:
        self._engine = engine
        self._records = records or engine
        self._topic = topic
        self._continue_after_consumers()
        self._waiting: queue.Queue[tuple[Sequence[Record], Future[None]] | None] = queue.Queue(_MAX_WAITING_APPENDS)
        self._closed = False
        self._writer = threading.Thread(target=self._write_groups, name="eventlog-writer", daemon=True)
        self._writer.start()

    def append(self, records: Sequence[Record]) -> Future[None]:
        """Queue `records` for the next group commit. See `EventLog.append`."""
        if self._closed:
            raise NotReady("the event log is closed; the service is stopping")
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()  # an append under way cannot be called back
        try:
            self._waiting.put_nowait((records, done))
        except queue.Full:
            raise Overloaded("the event log has a full queue; send again in a second") from None
        return done

    def subscribe(self, consumer: str) -> EmbeddedSubscription:
        """Return the place of `consumer` in this topic."""
        return EmbeddedSubscription(self._engine, self._records, self._topic, consumer)

    def forget(self, collection: str, text: str) -> int:
        """Delete what waits of a collection and holds `text`. See `EventLog.forget`."""
        mine = (log_records.c.topic == self._topic) & log_records.c.key.startswith(f"{collection}/", autoescape=True)
        statement = sa.delete(log_records).where(mine, log_records.c.body.contains(text, autoescape=True))
        with transaction(self._records) as connection:
            return int(connection.execute(statement).rowcount)

    def close(self) -> None:
        """Write what is queued, then stop the writer. Calling it again does nothing."""
        if not self._closed:
            self._closed = True
            self._waiting.put(None)
            self._writer.join()

    def _continue_after_consumers(self) -> None:
        """Number on from what was consumed, also when the file of the records was lost."""
        statement = sa.select(sa.func.max(log_positions.c.position)).where(log_positions.c.topic == self._topic)
        with reading(self._engine) as connection:
            consumed = int(connection.execute(statement).scalar() or 0)
        with transaction(self._records) as connection:
            following = take_numbers(connection, self._counter, 0)
            if following <= consumed:
                take_numbers(connection, self._counter, consumed + 1 - following)

    @property
    def _counter(self) -> str:
        return f"log:{self._topic}"

    def _write_groups(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first]
            while len(group) < _MAX_GROUP and not self._waiting.empty():
                item = self._waiting.get()
                if item is None:
                    self._write(group)
                    return
                group.append(item)
            self._write(group)

    def _write(self, group: list[tuple[Sequence[Record], Future[None]]]) -> None:
        try:
            with transaction(self._records) as connection:
                self._insert(connection, [record for records, _ in group for record in records])
        except Exception as problem:  # noqa: BLE001  handed to every caller that waits, none is lost
            for _, done in group:
                done.set_exception(problem)
            return
        for _, done in group:
            done.set_result(None)

    def _insert(self, connection: sa.Connection, records: list[Record]) -> None:
        if not records:
            return
        first = take_numbers(connection, self._counter, len(records))
        connection.execute(
            _INSERT,
            [
                {"topic": self._topic, "position": first + index, "key": record.key, "body": record.body}
                for index, record in enumerate(records)
            ],
        )


class EmbeddedSubscription:
    """A consumer of the embedded log. See `Subscription`.

    The collector keeps what it consumed in its own tables, so the log holds only what waits:
    records below the committed position are dropped by a later poll.
    """

    def __init__(self, engine: sa.Engine, records: sa.Engine, topic: str, consumer: str) -> None:
        self._engine = engine
        self._records = records
        self._topic = topic
        self._consumer = consumer
        self._next = self._committed() + 1
        self._trim_at_s = 0.0

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """Return the next records in order. See `Subscription.poll`."""
        deadline = time.monotonic() + timeout_s
        self._trim()
        while not (records := self._read(max_records)):
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            time.sleep(min(_IDLE_S, left))
        self._next = records[-1].position + 1
        return records

    def commit(self, connection: sa.Connection, records: Sequence[Record]) -> None:
        """Move past `records`. See `Subscription.commit`."""
        if not records:
            return
        row = {"consumer": self._consumer, "topic": self._topic, "partition": 0, "position": records[-1].position}
        upsert(connection, log_positions, [row])

    def lag(self) -> int:
        """Return how many records are appended but not committed."""
        waiting = self._mine & (log_records.c.position > self._committed())
        with reading(self._records) as connection:
            return int(connection.execute(sa.select(sa.func.count()).where(waiting)).scalar_one())

    def rewind(self) -> None:
        """Read again from the committed position."""
        self._next = self._committed() + 1

    def close(self) -> None:
        """Nothing is held open."""

    @property
    def _mine(self) -> sa.ColumnElement[bool]:
        return log_records.c.topic == self._topic

    def _read(self, max_records: int) -> list[Record]:
        statement = (
            sa.select(log_records)
            .where(self._mine, log_records.c.position >= self._next)
            .order_by(log_records.c.position)
            .limit(max_records)
        )
        with reading(self._records) as connection:
            return [Record(row.key, row.body, row.position) for row in connection.execute(statement)]

    def _trim(self) -> None:
        """Drop what is consumed, once in a while and some at a time, so that appends never wait for long."""
        if time.monotonic() < self._trim_at_s:
            return
        with reading(self._records) as connection:
            first = connection.execute(sa.select(sa.func.min(log_records.c.position)).where(self._mine)).scalar()
        consumed, last = self._committed(), (first or 0) + _TRIM_AT_ONCE - 1
        if last >= consumed:  # if not, the next poll goes on
            self._trim_at_s = time.monotonic() + _TRIM_EVERY_S
        if first is not None and first <= consumed:
            some = self._mine & (log_records.c.position <= min(consumed, last))
            with transaction(self._records) as connection:
                connection.execute(sa.delete(log_records).where(some))

    def _committed(self) -> int:
        statement = sa.select(log_positions.c.position).where(
            log_positions.c.consumer == self._consumer, log_positions.c.topic == self._topic
        )
        with reading(self._engine) as connection:
            return int(connection.execute(statement).scalar() or 0)
