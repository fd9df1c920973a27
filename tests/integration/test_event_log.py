"""What publishers and consumers rely on, from the embedded log and from Kafka alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import sqlalchemy as sa

from benchmarks.harness.broker import has_broker, kafka_broker
from foundation.database.engine import transaction
from foundation.errors import NotReady, RecordTooLarge
from foundation.eventlog.embedded import EmbeddedLog
from foundation.eventlog.protocol import EventLog, Record, Subscription
from foundation.eventlog.sizes import MAX_RECORD_BYTES

# kafka-python reads its message schemas by a function that Python 3.11 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:(read|open)_text is deprecated:DeprecationWarning")

TIMEOUT_S = 20.0


def open_kafka(engine: sa.Engine, bootstrap: str, topic: str = "feedback") -> EventLog:
    from foundation.eventlog.kafka.log import KafkaLog  # noqa: PLC0415  imported under the filter above

    return KafkaLog(engine, bootstrap, topic)


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """The address of a broker: `KAFKA_BOOTSTRAP`'s, or one started for this run."""
    if not has_broker():
        pytest.skip("neither KAFKA_BOOTSTRAP nor the broker of the extra `test`")
    with kafka_broker() as bootstrap:
        yield bootstrap


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def open_log(request: pytest.FixtureRequest, engine: sa.Engine) -> Iterator[Callable[[], EventLog]]:
    """Opens the same, new topic of each kind of log."""
    topic = f"t{uuid4().hex}"
    opened: list[EventLog] = []

    def open_one() -> EventLog:
        if request.param == "embedded":
            log: EventLog = EmbeddedLog(engine, topic)
        else:
            log = open_kafka(engine, request.getfixturevalue("kafka_bootstrap"), topic)
        opened.append(log)
        return log

    yield open_one
    for log in opened:
        log.close()


@pytest.fixture
def log(open_log: Callable[[], EventLog]) -> EventLog:
    return open_log()


@pytest.fixture
def reader(log: EventLog) -> Iterator[Subscription]:
    subscription = log.subscribe("reader")
    yield subscription
    subscription.close()


def records(*bodies: str, key: str = "default/q1") -> list[Record]:
    return [Record(key, body) for body in bodies]


def read(subscription: Subscription, count: int) -> list[Record]:
    found: list[Record] = []
    deadline = time.monotonic() + TIMEOUT_S
    while len(found) < count and time.monotonic() < deadline:
        found += subscription.poll(count - len(found), 0.5)
    return found


def bodies(found: list[Record]) -> list[str]:
    return [record.body for record in found]


def test_what_was_acknowledged_is_read_in_order(log: EventLog, reader: Subscription) -> None:
    log.append(records("one", "two")).result(TIMEOUT_S)
    log.append(records("three")).result(TIMEOUT_S)

    found = read(reader, 3)

    assert bodies(found) == ["one", "two", "three"]
    assert [record.key for record in found] == ["default/q1"] * 3
    assert sorted({record.position for record in found}) == [record.position for record in found]


def test_nothing_more_comes_when_all_is_read(log: EventLog, reader: Subscription) -> None:
    log.append(records("one")).result(TIMEOUT_S)
    read(reader, 1)

    assert reader.poll(10, 0.05) == []


def test_appending_nothing_is_done(log: EventLog) -> None:
    log.append([]).result(TIMEOUT_S)


def test_every_script_and_sign_survives(log: EventLog, reader: Subscription) -> None:
    log.append(records("größer 検索 🔍", key="default/ß")).result(TIMEOUT_S)

    (found,) = read(reader, 1)

    assert (found.key, found.body) == ("default/ß", "größer 検索 🔍")


def test_appends_of_many_threads_all_arrive_once(log: EventLog, reader: Subscription) -> None:
    with ThreadPoolExecutor(8) as pool:
        futures = list(pool.map(lambda n: log.append(records(str(n), key=f"default/q{n}")), range(200)))
    for future in futures:
        future.result(TIMEOUT_S)

    assert sorted(bodies(read(reader, 200)), key=int) == [str(n) for n in range(200)]


def test_a_rolled_back_commit_moves_nothing(log: EventLog, reader: Subscription, engine: sa.Engine) -> None:
    log.append(records("one", "two")).result(TIMEOUT_S)
    found = read(reader, 2)

    with engine.connect() as connection, connection.begin() as unfinished:
        reader.commit(connection, found)
        unfinished.rollback()
    reader.rewind()

    assert bodies(read(reader, 2)) == ["one", "two"]


def test_a_consumer_goes_on_where_it_committed(
    open_log: Callable[[], EventLog], log: EventLog, reader: Subscription, engine: sa.Engine
) -> None:
    log.append(records("one", "two", "three")).result(TIMEOUT_S)
    with transaction(engine) as connection:
        reader.commit(connection, read(reader, 3)[:2])

    again = open_log().subscribe("reader")

    assert bodies(read(again, 1)) == ["three"]
    again.close()


def test_rewinding_after_a_commit_repeats_nothing(log: EventLog, reader: Subscription, engine: sa.Engine) -> None:
    log.append(records("one", "two")).result(TIMEOUT_S)
    with transaction(engine) as connection:
        reader.commit(connection, read(reader, 2)[:1])

    reader.rewind()

    assert bodies(read(reader, 1)) == ["two"]


def test_lag_counts_what_is_not_committed(log: EventLog, reader: Subscription, engine: sa.Engine) -> None:
    log.append(records("one", "two", "three")).result(TIMEOUT_S)
    found = read(reader, 3)
    before = reader.lag()
    with transaction(engine) as connection:
        reader.commit(connection, found[:2])

    assert (before, reader.lag()) == (3, 1)


def test_a_record_that_is_too_large_is_refused_and_holds_up_nobody(log: EventLog, reader: Subscription) -> None:
    largest = "😀" * (MAX_RECORD_BYTES // 4)
    before = log.append(records("before"))
    with pytest.raises(RecordTooLarge, match="900000"):
        log.append(records("beside", largest + "😀"))
    before.result(TIMEOUT_S)
    log.append(records(largest)).result(TIMEOUT_S)

    assert bodies(read(reader, 2)) == ["before", largest]


@pytest.mark.kafka
def test_a_record_that_kafka_finds_too_large_breaks_no_producer(
    engine: sa.Engine, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foundation.eventlog.protocol.MAX_RECORD_BYTES", 10**9)
    log = open_kafka(engine, kafka_bootstrap, f"t{uuid4().hex}")
    before = log.append(records("before"))
    refused = log.append(records("x" * 1_100_000))
    before.result(TIMEOUT_S)

    with pytest.raises(RecordTooLarge):
        refused.result(TIMEOUT_S)
    assert not getattr(log, "_broken")  # noqa: B009  of Kafka's log alone
    log.close()


def test_a_closed_log_refuses(log: EventLog) -> None:
    log.close()

    with pytest.raises(NotReady):
        log.append(records("late"))


def test_closing_waits_for_appends_under_way(log: EventLog, reader: Subscription) -> None:
    futures = [log.append(records(str(n))) for n in range(20)]

    log.close()

    assert all(future.done() and future.exception() is None for future in futures)
    assert len(read(reader, 20)) == 20
