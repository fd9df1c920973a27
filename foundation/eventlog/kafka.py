"""The event log on Kafka, for where one machine is not enough.

Positions live in clickloop's own database and move in the transaction that holds the effect; Kafka's
consumer groups are not used, so nothing is rebalanced. Processes under one consumer name each read the
whole topic; what another has folded changes nothing.

Kafka may be away, at the start too: appends are refused and reads fail until it is back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, MessageSizeTooLargeError, OffsetOutOfRangeError, TopicAlreadyExistsError

from foundation.clock import monotonic_s
from foundation.database.engine import reading, transaction, upsert
from foundation.database.outages import Outage
from foundation.errors import NotReady, RecordTooLarge, StoreAway
from foundation.eventlog.deliveries import Deliveries
from foundation.eventlog.protocol import APPEND_LIMIT_S, FEEDBACK_TOPIC, STORE, Record, check_sizes
from foundation.eventlog.tables import log_positions
from foundation.processes.rounds import Rounds
from foundation.telemetry.metrics import LOG_RESETS, get_log

MAX_WAITING_RECORDS = 100_000
_STALLED_S = 0.5
_REBUILD_AFTER_S = 5.0
_KEEP_EVERY_S = 0.1
_TRY_EVERY_S = 0.5
_CLOSE_LIMIT_S = 10.0
_SURE_AFTER_S = 2.0
_CLIENT: dict[str, Any] = {
    "request_timeout_ms": 3_000,
    "bootstrap_timeout_ms": 2_000,
    "reconnect_backoff_max_ms": 500,
}
_PRODUCER: dict[str, Any] = _CLIENT | {
    "acks": "all",
    "enable_idempotence": False,  # a broker that comes back empty would refuse it for good; ids count records once
    "max_in_flight_requests_per_connection": 1,  # so that what is sent again stays in its order
    "linger_ms": 2,
    "max_block_ms": 50,  # appends never wait
    "delivery_timeout_ms": 4_000,
}
_log = get_log("kafka")


class KafkaLog:
    """The event log in one Kafka topic. See `foundation.eventlog.protocol.EventLog`.

    The producer waits for all in-sync replicas. Unlike the embedded log, an append whose future fails may have
    stored some of its records; sent again, they count once by their ids. A thread of its own gives up what is not
    acknowledged in time, whatever the client does, and makes the producer anew when it is broken or stalls.

    Args:
        engine: The database that holds the consumers' positions.
        bootstrap: Kafka servers, `host:port` joined by commas.
        topic: Created with the broker's defaults when it is missing.
    """

    def __init__(self, engine: sa.Engine, bootstrap: str, topic: str = FEEDBACK_TOPIC) -> None:
        self._engine = engine
        self._bootstrap = bootstrap.split(",")
        self._topic = topic
        self._outage = Outage(STORE, "written")
        self._deliveries = Deliveries(APPEND_LIMIT_S, MAX_WAITING_RECORDS)
        self._producer: KafkaProducer | None = None
        self._broken = True
        self._try_at_s = 0.0
        self._closing = threading.Event()
        self._rebuild()
        self._keeper = threading.Thread(target=self._keep, name="kafka-keeper", daemon=True)
        self._keeper.start()

    @property
    def away(self) -> bool:
        """Whether Kafka does not acknowledge, as far as is known. See `EventLog.away`."""
        return self._outage.on

    def problems(self) -> list[str]:
        """Return what is amiss with the log, as sentences."""
        return self._outage.problems()

    def append(self, records: Sequence[Record]) -> Future[None]:
        """Send `records`; the future is done when the brokers have acknowledged each of them.

        It fails with StoreAway when one was not acknowledged in time, with RecordTooLarge when the servers take less.
        """
        check_sizes(records)
        if self._closing.is_set():
            raise NotReady("the event log is closed; the service is stopping")
        producer = self._producer
        if self._outage.on or producer is None:
            raise self._outage.refusal()
        delivery = self._deliveries.begin(len(records))
        for record in records:
            try:
                sent = producer.send(self._topic, key=record.key.encode(), value=record.body.encode())
            except KafkaError as problem:
                self._broken |= not isinstance(problem, MessageSizeTooLargeError)
                delivery.fail(_refusal(problem))
                continue
            sent.add_callback(delivery.acknowledge)
            sent.add_errback(lambda problem: delivery.fail(_refusal(problem)))
        return delivery.done

    def subscribe(self, consumer: str) -> KafkaSubscription:
        """Return the place of `consumer` in all partitions of the topic."""
        return KafkaSubscription(self._engine, self._bootstrap, self._topic, consumer)

    def forget(self, collection: str, text: str) -> int:  # noqa: ARG002  the topic's retention deletes, nothing else
        """Delete nothing: Kafka deletes by age, and the collector drops what it reads of erased people."""
        return 0

    def close(self) -> None:
        """Wait for the appends under way, at most 10 s, then leave. Calling it again does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._keeper.join(_CLOSE_LIMIT_S)
        self._leave(_CLOSE_LIMIT_S)

    def _keep(self) -> None:
        rounds = Rounds("watch over what Kafka was sent")
        while not self._closing.wait(_KEEP_EVERY_S):
            with rounds.guarded():
                self._look()

    def _look(self) -> None:
        """Give up what is late, and make a producer anew that is of no use, every half second at most."""
        self._deliveries.expire()
        oldest_s = self._deliveries.oldest_s()
        if oldest_s > _STALLED_S:
            self._outage.begin(StoreAway(f"Kafka at {','.join(self._bootstrap)} does not acknowledge"))
        elif oldest_s and not self._broken:
            self._outage.end()
        useless = self._broken or oldest_s > _REBUILD_AFTER_S or (self._outage.on and not oldest_s)
        if useless and monotonic_s() >= self._try_at_s:
            self._try_at_s = monotonic_s() + _TRY_EVERY_S
            self._rebuild()

    def _rebuild(self) -> None:
        """Make the producer anew; the outage is over when that succeeds, for it needs a server that answers."""
        self._leave(0)
        try:
            _ensure_topic(self._bootstrap, self._topic)
            self._producer = KafkaProducer(bootstrap_servers=self._bootstrap, **_PRODUCER)
            self._producer.partitions_for(self._topic)  # so that the first append need not ask
        except KafkaError as problem:
            self._outage.begin(_away(self._bootstrap, problem))
            self._leave(0)
            return
        self._broken = False
        self._outage.end()

    def _leave(self, timeout_s: float) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            self._broken = True
            with suppress(KafkaError):  # what it still held was not acknowledged, which its appends are told below
                producer.close(timeout=timeout_s)
        self._deliveries.drop()


class KafkaSubscription:
    """A consumer of the topic. See `foundation.eventlog.protocol.Subscription`. Used by one thread.

    A topic that ends before the stored position is another one than that which was read: it was lost, or made anew.
    It is then read from its beginning, for nothing in it was read before; what was after all counts once.
    """

    def __init__(self, engine: sa.Engine, bootstrap: list[str], topic: str, consumer: str) -> None:
        self._engine = engine
        self._topic = topic
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
            self._connected.close(timeout_ms=1000 * _CLOSE_LIMIT_S)
            self._connected = None

    @property
    def _key(self) -> str:
        """The topic's name among positions, apart from the embedded log's, which counts otherwise."""
        return f"kafka:{self._topic}"

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except KafkaError as problem:
            away = _away(self._bootstrap, problem)
            self._outage.begin(away)
            raise away from problem
        self._outage.end()

    def _connect(self) -> KafkaConsumer:
        if self._connected is None:
            _ensure_topic(self._bootstrap, self._topic)
            self._connected = KafkaConsumer(
                bootstrap_servers=self._bootstrap,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",  # an offset that is not there is told, not passed over
                **_CLIENT,
            )
        return self._connected

    def _compare(self) -> tuple[int, bool]:
        """Return how many records wait, and whether a stored offset lies outside of what the topic holds."""
        consumer = self._connect()
        partitions = sorted(self._partitions())
        first = consumer.beginning_offsets(partitions)
        after = consumer.end_offsets(partitions)
        stored = self._stored()
        waiting, beyond = 0, False
        for one in partitions:
            at = stored.get(one.partition, 0)
            # A broker's answer about its end may be older than the last fetch, and than what was read by others.
            end = max(after[one], (consumer.highwater(one) or 0) if one in consumer.assignment() else 0)
            beyond |= at > after[one]
            waiting += after[one] - first[one] if at > end else max(0, end - max(first[one], at))
        return waiting, beyond

    def _begin_anew(self) -> None:
        """Move the offsets that the topic does not hold to its beginning, and say so."""
        consumer = self._connect()
        partitions = sorted(self._partitions())
        first, after = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        stored = self._stored()
        moved = {
            one.partition: first[one]
            for one in partitions
            if not first[one] <= stored.get(one.partition, first[one]) <= after[one]
        }
        with transaction(self._engine) as connection:
            self._store(connection, moved)
        for partition, offset in moved.items():
            LOG_RESETS.inc()
            _log.error(
                "log began anew", topic=self._topic, partition=partition, stored=stored[partition], goes_on_at=offset
            )
        self._beyond_since_s = None
        self.rewind()

    def _store(self, connection: sa.Connection, offsets: dict[int, int]) -> None:
        rows = [
            {"consumer": self._name, "topic": self._key, "partition": partition, "position": offset}
            for partition, offset in sorted(offsets.items())
        ]
        upsert(connection, log_positions, rows)

    def _partitions(self) -> set[TopicPartition]:
        numbers = self._connect().partitions_for_topic(self._topic)
        if not numbers:
            _ensure_topic(self._bootstrap, self._topic)
            raise StoreAway(f"Kafka at {','.join(self._bootstrap)} has no topic {self._topic!r} yet")
        return {TopicPartition(self._topic, number) for number in numbers}

    def _stored(self) -> dict[int, int]:
        statement = sa.select(log_positions.c.partition, log_positions.c.position).where(
            log_positions.c.consumer == self._name, log_positions.c.topic == self._key
        )
        with reading(self._engine) as connection:
            return {row.partition: row.position for row in connection.execute(statement)}


def _refusal(problem: BaseException) -> BaseException:
    """Return what an append's caller is told; of a record's size nobody but the one who sent it hears."""
    is_size = isinstance(problem, MessageSizeTooLargeError)
    return RecordTooLarge(f"Kafka takes no record so large: {problem}") if is_size else problem


def _away(bootstrap: Sequence[str], problem: KafkaError) -> StoreAway:
    return StoreAway(f"Kafka at {','.join(bootstrap)} does not answer: {problem!r}; send the request again")


def _ensure_topic(bootstrap: list[str], topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap, **_CLIENT)
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
