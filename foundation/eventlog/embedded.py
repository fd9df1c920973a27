"""The event log in the SQL database: it needs no broker."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import sqlalchemy as sa

from foundation.database.engine import LOCK_TIMEOUT_S, reading, take_numbers, transaction, upsert, writes_of
from foundation.eventlog.group_commit import GroupCommit
from foundation.eventlog.protocol import FEEDBACK_TOPIC, Record, check_sizes
from foundation.eventlog.tables import log_positions, log_records
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import LOG_RESETS

_IDLE_S = 0.02
_BALLAST_BYTES = 65_536
_TRIM_EVERY_S = 5.0
_TRIM_AT_ONCE = 5000
_INSERT = sa.insert(log_records)
_log = get_log("eventlog")


class EmbeddedLog:
    """The log in an SQL database, with group commit: waiting appends share one disk flush.

    Args:
        engine: The database of the effects; positions are kept there, beside them.
        topic: Name of the log.
        records: The database of the records; by default `engine`. SQLite has one writer at a time, so a file of its
            own keeps appends from waiting for the consumer's transactions.
    """

    def __init__(self, engine: sa.Engine, topic: str = FEEDBACK_TOPIC, records: sa.Engine | None = None) -> None:
        self._engine = engine
        self._records = records or engine
        self._topic = topic
        self._counter = f"log:{topic}"
        self._ballast: dict[str, Any] = {"topic": f"{topic}#", "position": 0, "key": "", "body": "x" * _BALLAST_BYTES}
        self._continue_after_consumers()
        self._writer = GroupCommit(self._write, writes_of(self._records))

    @property
    def away(self) -> bool:
        """Whether the last write failed, or one is stalled. See `EventLog.away`."""
        return self._writer.outage.on

    def problems(self) -> list[str]:
        """Return what is amiss with the log, as sentences."""
        return self._writer.outage.problems()

    def append(self, records: Sequence[Record]) -> Future[None]:
        """Queue `records` for the next group commit. See `EventLog.append`."""
        check_sizes(records)
        return self._writer.append(records)

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
        """Write what is queued, then stop the writer; what cannot be written fails. Calling it again does nothing."""
        self._writer.close()

    def _continue_after_consumers(self) -> None:
        """Number on from what was consumed, also when the file of the records was lost."""
        statement = sa.select(sa.func.max(log_positions.c.position)).where(log_positions.c.topic == self._topic)
        with reading(self._engine) as connection:
            consumed = int(connection.execute(statement).scalar() or 0)
        with transaction(self._records, LOCK_TIMEOUT_S) as connection:
            following = take_numbers(connection, self._counter, 0)
            if following <= consumed:
                take_numbers(connection, self._counter, consumed + 1 - following)
        if following <= consumed:
            LOG_RESETS.inc()
            _log.error("log began anew", topic=self._topic, consumed=consumed, goes_on_at=consumed + 1)

    def _write(self, take: Callable[[], list[Record]]) -> None:
        with transaction(self._records) as connection:
            records = take()
            if records:
                self._insert(connection, records)
            else:  # is the log back? The row is large: on a full disk a small one may still find room
                upsert(connection, log_records, [self._ballast])
        if not records:
            with transaction(self._records) as connection:
                connection.execute(sa.delete(log_records).where(log_records.c.topic == self._ballast["topic"]))

    def _insert(self, connection: sa.Connection, records: list[Record]) -> None:
        first = take_numbers(connection, self._counter, len(records))
        rows = [
            {"topic": self._topic, "position": position, "key": record.key, "body": record.body}
            for position, record in enumerate(records, first)
        ]
        connection.execute(_INSERT, rows)


class EmbeddedSubscription:
    """A consumer of the embedded log. See `Subscription`.

    The collector keeps what it consumed in its own tables, so the log holds only what waits: a later poll drops the
    records below the committed position.
    """

    def __init__(self, engine: sa.Engine, records: sa.Engine, topic: str, consumer: str) -> None:
        self._engine = engine
        self._records = records
        self._topic = topic
        self._consumer = consumer
        self._mine = log_records.c.topic == topic
        self._trim_at_s = 0.0
        self.rewind()

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
        waiting = self._mine & (log_records.c.position > self.progress())
        with reading(self._records) as connection:
            return int(connection.execute(sa.select(sa.func.count()).where(waiting)).scalar_one())

    def progress(self) -> int:
        """Return the committed position."""
        statement = sa.select(log_positions.c.position).where(
            log_positions.c.consumer == self._consumer, log_positions.c.topic == self._topic
        )
        with reading(self._engine) as connection:
            return int(connection.execute(statement).scalar() or 0)

    def rewind(self) -> None:
        """Read again from the committed position."""
        self._next = self.progress() + 1

    def close(self) -> None:
        """Nothing is held open."""

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
        """Drop what is consumed: now and then, and a little at a time, so that appends never wait for long."""
        if time.monotonic() < self._trim_at_s:
            return
        with reading(self._records) as connection:
            first = connection.execute(sa.select(sa.func.min(log_records.c.position)).where(self._mine)).scalar()
        consumed, last = self.progress(), (first or 0) + _TRIM_AT_ONCE - 1
        if last >= consumed:  # if not, the next poll goes on
            self._trim_at_s = time.monotonic() + _TRIM_EVERY_S
        if first is not None and first <= consumed:
            some = self._mine & (log_records.c.position <= min(consumed, last))
            with transaction(self._records) as connection:
                connection.execute(sa.delete(log_records).where(some))
