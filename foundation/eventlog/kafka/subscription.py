"""A consumer of the topic, whose positions lie in clickloop's own database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, OffsetOutOfRangeError

from foundation.clock import monotonic_s
from foundation.database.engine import reading, transaction, upsert
from foundation.database.outages import Outage
from foundation.errors import StoreAway
from foundation.eventlog.kafka.client import CLIENT, CLOSE_LIMIT_S, ensure_topic, no_answer
from foundation.eventlog.protocol import STORE, Record
from foundation.eventlog.tables import log_positions
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import LOG_RESETS

_SURE_AFTER_S = 2.0
_log = get_log("kafka")


class KafkaSubscription:
    """A consumer of the topic. See `foundation.eventlog.protocol.Subscription`. Used by one thread.

    A topic that ends before the stored position is not the one that was read: it was lost, or made anew. It is then
    read from its beginning. Should any of it have been read before, it counts once all the same.
    """

    def __init__(self, engine: sa.Engine, bootstrap: list[str], topic: str, consumer: str) -> None:
        self._engine = engine
        self._topic = topic
        self._key = f"kafka:{topic}"  # among positions; the embedded log numbers its records otherwise
        self._name = consumer
        self._bootstrap = bootstrap
        self._outage = Outage(STORE, "read")
        self._connected: KafkaConsumer | None = None
        self._beyond_since_s: float | None = None

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """Return the next records, in order within each partition. See `Subscription.poll`.

        Raises:
            StoreAway: Kafka does not answer, or with an error.
        """
        with self._answering():
            consumer = self._connect()
            if self._partitions() != consumer.assignment():
                self.rewind()
            try:
                found = consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=max_records)
            except OffsetOutOfRangeError:
                self._begin_anew()
                return []
        return [_record(message) for messages in found.values() for message in messages]

    def commit(self, connection: sa.Connection, records: Sequence[Record]) -> None:
        """Store the offsets after `records`, inside the caller's transaction."""
        self._store(connection, {record.partition: record.position + 1 for record in records})

    def lag(self) -> int:
        """Return how many records are in the topic but not committed; all of them in a topic made anew."""
        with self._answering():
            waiting, beyond = self._compare()
            if not beyond:
                self._beyond_since_s = None
            elif self._beyond_since_s is None:  # the answer about an end may be old; only a lasting one counts
                self._beyond_since_s = monotonic_s()
            elif monotonic_s() - self._beyond_since_s > _SURE_AFTER_S and self._connect().assignment():
                self._begin_anew()
        return waiting

    def progress(self) -> int:
        """Return the sum of the stored offsets."""
        return sum(self._stored().values())

    def rewind(self) -> None:
        """Read every partition from its stored offset, or from its beginning."""
        stored = self._stored()
        with self._answering():
            consumer = self._connect()
            consumer.assign(sorted(self._partitions()))
            for one in consumer.assignment():
                if one.partition in stored:
                    consumer.seek(one, stored[one.partition])
                else:
                    consumer.seek_to_beginning(one)

    def close(self) -> None:
        """Leave the servers."""
        if self._connected is not None:
            self._connected.close(timeout_ms=1000 * CLOSE_LIMIT_S)
            self._connected = None

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except KafkaError as problem:
            away = no_answer(self._bootstrap, problem)
            self._outage.begin(away)
            raise away from problem
        self._outage.end()

    def _connect(self) -> KafkaConsumer:
        if self._connected is None:
            ensure_topic(self._bootstrap, self._topic)
            self._connected = KafkaConsumer(
                bootstrap_servers=self._bootstrap,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",  # an offset that is not there is an error, not passed over
                **CLIENT,
            )
        return self._connected

    def _compare(self) -> tuple[int, bool]:
        """Return how many records wait, and whether a stored offset lies outside of what the topic holds."""
        consumer, stored = self._connect(), self._stored()
        waiting, beyond = 0, False
        for one, (first, after) in self._bounds().items():
            at = stored.get(one.partition, 0)
            # A broker's answer about its end may be older than the last fetch, and than what was read by others.
            end = max(after, (consumer.highwater(one) or 0) if one in consumer.assignment() else 0)
            beyond |= at > after
            waiting += after - first if at > end else max(0, end - max(first, at))
        return waiting, beyond

    def _begin_anew(self) -> None:
        """Move the offsets that the topic does not hold to its beginning, and log it."""
        bounds, stored = self._bounds(), self._stored()
        moved = {
            one.partition: first
            for one, (first, after) in bounds.items()
            if not first <= stored.get(one.partition, first) <= after
        }
        with transaction(self._engine) as connection:
            self._store(connection, moved)
        for partition, offset in moved.items():
            LOG_RESETS.inc()
            places = {"partition": partition, "stored": stored[partition], "goes_on_at": offset}
            _log.error("log began anew", topic=self._topic, **places)
        self._beyond_since_s = None
        self.rewind()

    def _bounds(self) -> dict[TopicPartition, tuple[int, int]]:
        """Return the first offset of each partition, and the one after its last."""
        consumer, partitions = self._connect(), sorted(self._partitions())
        first, after = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        return {one: (first[one], after[one]) for one in partitions}

    def _store(self, connection: sa.Connection, offsets: dict[int, int]) -> None:
        rows = [
            {"consumer": self._name, "topic": self._key, "partition": partition, "position": offset}
            for partition, offset in sorted(offsets.items())
        ]
        upsert(connection, log_positions, rows)

    def _partitions(self) -> set[TopicPartition]:
        numbers = self._connect().partitions_for_topic(self._topic)
        if not numbers:
            ensure_topic(self._bootstrap, self._topic)
            raise StoreAway(f"Kafka at {','.join(self._bootstrap)} has no topic {self._topic!r} yet")
        return {TopicPartition(self._topic, number) for number in numbers}

    def _stored(self) -> dict[int, int]:
        statement = sa.select(log_positions.c.partition, log_positions.c.position).where(
            log_positions.c.consumer == self._name, log_positions.c.topic == self._key
        )
        with reading(self._engine) as connection:
            return {row.partition: row.position for row in connection.execute(statement)}


def _record(message: Any) -> Record:
    key = (message.key or b"").decode(errors="replace")
    body = (message.value or b"").decode(errors="replace")
    return Record(key, body, message.offset, message.partition)
