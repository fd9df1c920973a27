"""Appends to the topic, and the thread that watches over them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError

from foundation.clock import monotonic_s
from foundation.database.outages import Outage
from foundation.errors import NotReady, RecordTooLarge, StoreAway
from foundation.eventlog.deliveries import Deliveries
from foundation.eventlog.kafka.client import CLIENT, CLOSE_LIMIT_S, ensure_topic, no_answer
from foundation.eventlog.kafka.subscription import KafkaSubscription
from foundation.eventlog.protocol import APPEND_LIMIT_S, FEEDBACK_TOPIC, STORE, Record, check_sizes
from foundation.processes.rounds import Rounds
from foundation.telemetry.logs import get_log

MAX_WAITING_RECORDS = 100_000
_STALLED_S = 0.5
_REBUILD_AFTER_S = 5.0
_KEEP_EVERY_S = 0.1
_TRY_EVERY_S = 0.5
_PRODUCER: dict[str, Any] = CLIENT | {
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

    The producer waits for all in-sync replicas. Unlike in the embedded log, some records of an append that failed may
    be stored; sent again, they count once by their ids. A thread gives up what is not acknowledged in time, whatever
    the client does, and makes the producer anew when it is broken or stalls.

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
        self._keeper.join(CLOSE_LIMIT_S)
        self._leave(CLOSE_LIMIT_S)

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
            ensure_topic(self._bootstrap, self._topic)
            self._producer = KafkaProducer(bootstrap_servers=self._bootstrap, **_PRODUCER)
            self._producer.partitions_for(self._topic)  # so that the first append need not ask
        except KafkaError as problem:
            self._outage.begin(no_answer(self._bootstrap, problem))
            self._leave(0)
            return
        self._broken = False
        self._outage.end()

    def _leave(self, timeout_s: float) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            self._broken = True
            with suppress(KafkaError):  # the appends that it still held fail below
                producer.close(timeout=timeout_s)
        self._deliveries.drop()


def _refusal(problem: BaseException) -> BaseException:
    """Return the error that the caller of an append gets; only a record's size is the caller's own fault."""
    is_size = isinstance(problem, MessageSizeTooLargeError)
    return RecordTooLarge(f"Kafka takes no record so large: {problem}") if is_size else problem
