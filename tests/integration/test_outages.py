"""Stores that are really away: locked, full, and back again. What answers goes on answering."""

from __future__ import annotations

import errno
import io
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks.chaos.faults import can_mount
from benchmarks.chaos.faults import small_disk as bench_disk
from foundation.database.engine import make_engine, problems_of, reading, transaction
from foundation.database.schema import upgrade
from foundation.database.tables import counters
from foundation.errors import NotReady, Overloaded, StoreAway, StoreFull
from foundation.eventlog.embedded import EmbeddedLog
from foundation.eventlog.protocol import Record, await_append
from foundation.eventlog.tables import log_records
from foundation.telemetry.logs import configure_logs

LOCK_TIMEOUT_S = 0.2
MAX_CONNECTIONS = 50
"""Those of a pool for SQLite."""


@contextmanager
def locked(engine: sa.Engine) -> Iterator[None]:
    """Hold an SQLite file as another program would."""
    with closing(sqlite3.connect(str(engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


def write(engine: sa.Engine, name: str = "x") -> None:
    with transaction(engine) as connection:
        connection.execute(sa.insert(counters).values(name=name, value=1))


def try_to_write(engine: sa.Engine) -> None:
    with suppress(StoreAway):
        write(engine)


def in_a_thread(work: Callable[[sa.Engine], None], engine: sa.Engine) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work, engine).result()


def wait_until(holds: Callable[[], bool], limit_s: float = 5.0) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def hasty(engine: sa.Engine) -> Iterator[sa.Engine]:
    """The test's database, by an engine that waits for others 0.2 s only."""
    impatient = make_engine(engine.url.render_as_string(), lock_timeout_s=LOCK_TIMEOUT_S)
    yield impatient
    impatient.dispose()


@pytest.fixture
def log(hasty: sa.Engine) -> Iterator[EmbeddedLog]:
    log = EmbeddedLog(hasty)
    yield log
    log.close()


def bodies(log: EmbeddedLog) -> list[str]:
    return [record.body for record in log.subscribe("reader").poll(100, 0)]


def append(log: EmbeddedLog, body: str, limit_s: float = 5.0) -> None:
    await_append(log.append([Record("default/q", body)]), limit_s)


def test_a_locked_database_is_away_for_writers_within_their_patience_and_back_by_itself(hasty: sa.Engine) -> None:
    with locked(hasty):
        began = time.monotonic()
        with pytest.raises(StoreAway, match="database cannot be used now"):
            write(hasty)
        waited_s = time.monotonic() - began
        with reading(hasty) as connection:
            connection.execute(sa.select(counters)).all()
        told = problems_of(hasty)
    write(hasty)

    assert LOCK_TIMEOUT_S <= waited_s < LOCK_TIMEOUT_S + 0.5
    assert ["cannot be written" in sentence for sentence in told] == [True]
    assert problems_of(hasty) == []


def test_while_a_store_is_away_one_writer_asks_and_the_others_are_told_at_once(hasty: sa.Engine) -> None:
    with locked(hasty):
        with pytest.raises(StoreAway):
            write(hasty)
        asking = threading.Thread(target=try_to_write, args=(hasty,))
        asking.start()
        time.sleep(LOCK_TIMEOUT_S / 4)
        began = time.monotonic()
        with pytest.raises(StoreAway):
            write(hasty)
        waited_s = time.monotonic() - began
        asking.join(5)

    assert waited_s < LOCK_TIMEOUT_S / 2


def test_an_outage_is_logged_once_and_its_end_once(hasty: sa.Engine, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    with locked(hasty):
        for _ in range(3):
            with pytest.raises(StoreAway):
                write(hasty)
    write(hasty)
    write(hasty, "y")

    said = capsys.readouterr()
    lines = (said.out + said.err).splitlines()
    assert [sum(word in line for line in lines) for word in ("store away", "store back")] == [1, 1]


def test_a_writer_that_others_of_its_process_keep_waiting_is_told_so_and_the_store_is_not_away(
    hasty: sa.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("info")
    with transaction(hasty):
        began = time.monotonic()
        with pytest.raises(Overloaded, match="busy") as refused:
            in_a_thread(write, hasty)
        waited_s = time.monotonic() - began
        told = problems_of(hasty)
    write(hasty)

    said = capsys.readouterr()
    assert (refused.value.status, refused.value.retryable) == (503, True)
    assert LOCK_TIMEOUT_S <= waited_s < LOCK_TIMEOUT_S + 0.5
    assert told == []
    assert "store away" not in said.out + said.err


def test_a_reader_that_gets_no_connection_is_told_so_and_the_store_is_not_away(hasty: sa.Engine) -> None:
    with ExitStack() as connections:
        for _ in range(MAX_CONNECTIONS):
            connections.enter_context(hasty.connect())
        with pytest.raises(Overloaded, match="busy"), reading(hasty):
            raise AssertionError("there was a connection")
        told = problems_of(hasty)

    assert told == []


def test_an_error_that_no_retry_mends_is_no_outage(hasty: sa.Engine) -> None:
    with pytest.raises(sa.exc.OperationalError, match="no such table"), transaction(hasty) as connection:
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    assert problems_of(hasty) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB of its own."""
    if not can_mount():
        pytest.skip("only root may mount a small file system")
    with bench_disk(4) as folder:
        yield folder


def test_a_full_disk_refuses_writes_until_there_is_room(small_disk: Path) -> None:
    engine = make_engine(f"sqlite:///{small_disk / 'clickloop.db'}", lock_timeout_s=LOCK_TIMEOUT_S)
    upgrade(engine)
    log = EmbeddedLog(engine)
    append(log, "before")
    ballast = small_disk / "ballast"
    with pytest.raises(OSError, match="No space"), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)

    with pytest.raises(StoreFull, match="no room left"):
        for number in range(500):
            append(log, f"{number}" * 1000)
    full = (log.away, log.problems())
    ballast.unlink()
    wait_until(lambda: not log.away)
    append(log, "after")

    assert full[0]
    assert "no room left" in full[1][0]
    with reading(engine) as connection:
        kept = connection.execute(sa.select(log_records.c.body).order_by(log_records.c.position)).scalars().all()
    assert (kept[0], kept[-1]) == ("before", "after")
    log.close()
    engine.dispose()


def test_appends_to_a_locked_log_fail_in_time_and_the_log_comes_back_by_itself(
    hasty: sa.Engine, log: EmbeddedLog
) -> None:
    with locked(hasty):
        began = time.monotonic()
        with pytest.raises(StoreAway):
            append(log, "lost")
        first_s = time.monotonic() - began
        with pytest.raises(StoreAway):
            append(log, "refused at once")
        second_s = time.monotonic() - began - first_s
        told = log.problems()
    wait_until(lambda: not log.away)
    append(log, "after")

    assert first_s < 1
    assert second_s < 0.1
    assert told
    assert (bodies(log), log.problems()) == (["after"], [])


def test_what_is_withdrawn_while_the_log_is_locked_never_arrives(engine: sa.Engine) -> None:
    log = EmbeddedLog(engine)  # waits 30 s for the file, so that the append is still there when it is free again
    with locked(engine):
        early = log.append([Record("default/q", "withdrawn")])
        with pytest.raises(StoreAway, match="in time"):
            await_append(early, 0.05)
        wait_until(lambda: log.away)
    wait_until(lambda: not log.away)
    append(log, "after")

    assert bodies(log) == ["after"]
    log.close()


def test_a_log_that_stalls_counts_as_away_though_nothing_has_failed(engine: sa.Engine) -> None:
    log = EmbeddedLog(engine)
    with locked(engine):
        late = log.append([Record("default/q", "late")])
        wait_until(lambda: log.away)
        with pytest.raises(StoreAway):
            log.append([Record("default/q", "refused")])
    late.result(5)
    wait_until(lambda: not log.away)

    assert bodies(log) == ["late"]
    log.close()


def test_a_closed_log_fails_what_it_cannot_write(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foundation.eventlog.group_commit._CLOSE_LIMIT_S", 0.2)
    log = EmbeddedLog(engine)
    with locked(engine):
        waiting = [log.append([Record("default/q", str(number))]) for number in range(3)]
        time.sleep(0.1)
        more = log.append([Record("default/q", "behind")])
        began = time.monotonic()
        log.close()
        waited_s = time.monotonic() - began
    with pytest.raises(NotReady):
        log.append([Record("default/q", "late")])

    assert waited_s < 2
    for future in (*waiting, more):
        with pytest.raises(NotReady):
            future.result(0)


def test_small_appends_go_before_large_ones(engine: sa.Engine) -> None:
    log = EmbeddedLog(engine)
    with locked(engine):
        log.append([Record("default/q", "first")])
        time.sleep(0.1)  # it is being written; what comes now waits behind it
        large = log.append([Record("default/q", "large")] * 6000)
        small = log.append([Record("default/q", "small")])
    large.result(10)
    small.result(10)
    with reading(engine) as connection:
        order = connection.execute(sa.select(log_records.c.body).order_by(log_records.c.position)).scalars().all()

    assert order[:3] == ["first", "small", "large"]
    log.close()


class FullDisk(io.StringIO):
    """What standard error is when it goes to a file on a full disk."""

    def write(self, _text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_log_lines_that_a_full_disk_refuses_stop_no_work(hasty: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    configure_logs("info")
    monkeypatch.setattr("sys.stderr", FullDisk())
    with locked(hasty):
        for _ in range(2):
            with pytest.raises(StoreAway):
                write(hasty)
    write(hasty)
