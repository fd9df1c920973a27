"""The event log on Kafka, for where one machine is not enough.

Positions live in clickloop's own database and move in the transaction that holds the effect; Kafka's
consumer groups are not used, so nothing is rebalanced. Processes under one consumer name each read the
whole topic; what another has folded changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, TopicAlreadyExistsError

from foundation.db import reading, upsert
from foundation.errors import NotReady, Overloaded
from foundation.eventlog import FEEDBACK_TOPIC, Record
from foundation.tables import log_positions

MAX_WAITING_RECORDS = 100_000
_DELIVERY_MS = 30_000
_REQUEST_MS = 10_000
_BLOCK_MS = 2_000
_BOOTSTRAP_MS = 10_000


class KafkaLog:
    """The event log in one Kafka topic. See `foundation.eventlog.EventLog`.

    The producer is idempotent and waits for all in-sync replicas. Unlike the embedded log, an append
    whose future fails may have stored some of its records; sent again, they count once by their ids.

    Args:
        engine: The database that holds the consumers' positions.
        bootstrap: Kafka servers, `host:port` joined by commas.
        topic: Created with the broker's defaults when it is missing.

    Raises:
        NotReady: No server answers within 10 s.
    """

    def __init__(self, engine: sa.Engine, bootstrap: str, topic: str = FEEDBACK_TOPIC) -> None:
        self._engine = engine
        self._bootstrap = bootstrap.split(",")
        self._topic = topic
        self._lock = threading.Lock()
        self._waiting = 0
        self._closed = False
        with _answering(self._bootstrap):
            _ensure_topic(self._bootstrap, topic)
            self._producer = KafkaProducer(
                bootstrap_servers=self._bootstrap,
                acks="all",
                linger_ms=2,
                max_block_ms=_BLOCK_MS,
                request_timeout_ms=_REQUEST_MS,
                bootstrap_timeout_ms=_BOOTSTRAP_MS,
                delivery_timeout_ms=_DELIVERY_MS,
            )

    def append(self, records: Sequence[Record]) -> Future[None]:
        """Send `records`; the future is done when the brokers have acknowledged each of them.

        It fails with NotReady when one was not acknowledged within 30 s.
        """
        if self._closed:
            raise NotReady("the event log is closed; the service is stopping")
        messages = [(record.key.encode(), record.body.encode()) for record in records]
        self._admit(len(messages))
        append = _Append(len(messages), self._release)
        for key, value in messages:
            self._send(append, key, value)
        return append.done

    def subscribe(self, consumer: str) -> KafkaSubscription:
        """Return the place of `consumer` in all partitions of the topic.

        Raises:
            NotReady: No server answers.
        """
        return KafkaSubscription(self._engine, self._bootstrap, self._topic, consumer)

    def forget(self, collection: str, text: str) -> int:  # noqa: ARG002  the topic's retention deletes, nothing else
        """Delete nothing: Kafka deletes by age, and the collector drops what it reads of erased people."""
        return 0

    def close(self) -> None:
        """Wait for the appends under way, then leave. Calling it again does nothing."""
        if not self._closed:
            self._closed = True
            self._producer.close(timeout=_DELIVERY_MS / 1000)

    def _send(self, append: _Append, key: bytes, value: bytes) -> None:
        try:
            sent = self._producer.send(self._topic, key=key, value=value)
        except KafkaError as problem:
            append.fail(problem)
            return
        sent.add_callback(append.acknowledge)
        sent.add_errback(append.fail)

    def _admit(self, count: int) -> None:
        with self._lock:
            if self._waiting + count > MAX_WAITING_RECORDS:
                raise Overloaded("too many records wait for Kafka; send again in a second")
            self._waiting += count

    def _release(self) -> None:
        with self._lock:
            self._waiting -= 1


class _Append:
    """Counts the acknowledgements of one append; its future is done with the last of them."""

    def __init__(self, count: int, release: Any) -> None:
        self.done: Future[None] = Future()
        self.done.set_running_or_notify_cancel()  # from here on nobody can cancel it
        self._left = count
        self._release = release
        self._problem: BaseException | None = None
        self._lock = threading.Lock()
        if not count:
            self.done.set_result(None)

    def acknowledge(self, _metadata: Any) -> None:
        self._settle(None)

    def fail(self, problem: BaseException) -> None:
        self._settle(problem)

    def _settle(self, problem: BaseException | None) -> None:
        self._release()
        with self._lock:
            self._left -= 1
            self._problem = self._problem or problem
            if self._left:
                return
        if self._problem is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(NotReady(f"Kafka did not take the records: {self._problem!r}; send them again"))


class KafkaSubscription:
    """A consumer of the topic. See `foundation.eventlog.Subscription`. Used by one thread."""

    def __init__(self, engine: sa.Engine, bootstrap: list[str], topic: str, consumer: str) -> None:
        self._engine = engine
        self._topic = topic
        self._name = consumer
        self._bootstrap = bootstrap
        with _answering(bootstrap):
            self._consumer = KafkaConsumer(
                bootstrap_servers=bootstrap,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",  # a topic made anew starts before the stored position
                request_timeout_ms=_REQUEST_MS,
                bootstrap_timeout_ms=_BOOTSTRAP_MS,
            )
        self.rewind()

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        """Return the next records, in order within each partition. See `Subscription.poll`.

        Raises:
            NotReady: Kafka answers with an error.
        """
        with _answering(self._bootstrap):
            if self._partitions() != self._consumer.assignment():
                self.rewind()
            found = self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=max_records)
        return [_record(message) for messages in found.values() for message in messages]

    def commit(self, connection: sa.Connection, records: Sequence[Record]) -> None:
        """Store the offsets after `records`, inside the caller's transaction."""
        offsets = {record.partition: record.position + 1 for record in records}
        rows = [
            {"consumer": self._name, "topic": self._key, "partition": partition, "position": offset}
            for partition, offset in sorted(offsets.items())
        ]
        upsert(connection, log_positions, rows)

    def lag(self) -> int:
        """Return how many records are in the topic but not committed."""
        with _answering(self._bootstrap):
            partitions = sorted(self._partitions())
            first = self._consumer.beginning_offsets(partitions)
            after = self._consumer.end_offsets(partitions)
        stored = self._stored()
        return sum(
            # A broker's answer about its end may be older than the last fetch, and than what was read by others.
            max(0, max(after[one], self._consumer.highwater(one) or 0) - max(first[one], stored.get(one.partition, 0)))
            for one in partitions
        )

    def rewind(self) -> None:
        """Read every partition from its stored offset, or from its beginning."""
        stored = self._stored()
        with _answering(self._bootstrap):
            self._consumer.assign(sorted(self._partitions()))
            for one in self._consumer.assignment():
                if one.partition in stored:
                    self._consumer.seek(one, stored[one.partition])
                else:
                    self._consumer.seek_to_beginning(one)

    def close(self) -> None:
        """Leave the servers."""
        self._consumer.close()

    @property
    def _key(self) -> str:
        """The topic's name among positions, apart from the embedded log's, which counts otherwise."""
        return f"kafka:{self._topic}"

    def _partitions(self) -> set[TopicPartition]:
        return {TopicPartition(self._topic, number) for number in self._consumer.partitions_for_topic(self._topic)}

    def _stored(self) -> dict[int, int]:
        statement = sa.select(log_positions.c.partition, log_positions.c.position).where(
            log_positions.c.consumer == self._name, log_positions.c.topic == self._key
        )
        with reading(self._engine) as connection:
            return {row.partition: row.position for row in connection.execute(statement)}


@contextmanager
def _answering(bootstrap: Sequence[str]) -> Iterator[None]:
    """Turn Kafka's errors into one that says where and that a retry can help."""
    try:
        yield
    except KafkaError as problem:
        raise NotReady(f"Kafka at {','.join(bootstrap)} does not answer: {problem!r}") from problem


def _ensure_topic(bootstrap: list[str], topic: str) -> None:
    admin = KafkaAdminClient(
        bootstrap_servers=bootstrap, request_timeout_ms=_REQUEST_MS, bootstrap_timeout_ms=_BOOTSTRAP_MS
    )
    try:
        if topic not in admin.list_topics():
            admin.create_topics([topic], wait_for_metadata=True)
    except TopicAlreadyExistsError:
        pass  # another process was faster
    finally:
        admin.close()


def _record(message: Any) -> Record:
    key = (message.key or b"").decode(errors="replace")
    body = (message.value or b"").decode(errors="replace")
    return Record(key, body, message.offset, message.partition)
