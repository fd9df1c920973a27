"""The embedded log: durable before it says so, in order, moved only with the effect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from foundation.database.engine import reading, transaction
from foundation.database.tables import counters
from foundation.errors import NotReady, Overloaded
from foundation.eventlog.embedded import EmbeddedLog, EmbeddedSubscription
from foundation.eventlog.protocol import Record
from foundation.eventlog.tables import log_records


def append(log: EmbeddedLog, *bodies: str) -> None:
    log.append([Record("key", body) for body in bodies]).result(10)


def bodies(records: list[Record]) -> list[str]:
    return [record.body for record in records]


def test_what_is_appended_is_polled_in_order(log: EmbeddedLog) -> None:
    append(log, "1", "2")
    append(log, "3")
    subscription = log.subscribe("reader")
    assert bodies(subscription.poll(2, 0)) == ["1", "2"]
    assert bodies(subscription.poll(2, 0)) == ["3"]
    assert subscription.poll(2, 0.01) == []


def test_the_position_moves_only_with_the_effect(log: EmbeddedLog, any_engine: sa.Engine) -> None:
    append(log, "1", "2", "3")
    subscription = log.subscribe("reader")
    with pytest.raises(RuntimeError), transaction(any_engine) as connection:
        subscription.commit(connection, subscription.poll(2, 0))
        raise RuntimeError
    subscription.rewind()
    records = subscription.poll(2, 0)
    assert bodies(records) == ["1", "2"]
    with transaction(any_engine) as connection:
        subscription.commit(connection, records)
    assert subscription.lag() == 1
    assert bodies(log.subscribe("reader").poll(10, 0)) == ["3"]


def test_committing_nothing_moves_nothing(log: EmbeddedLog, any_engine: sa.Engine) -> None:
    append(log, "1")
    subscription = log.subscribe("reader")
    with transaction(any_engine) as connection:
        subscription.commit(connection, [])
    assert subscription.lag() == 1


def test_appends_at_once_are_all_kept(log: EmbeddedLog) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda index: append(log, str(index)), range(40)))
    assert sorted(map(int, bodies(log.subscribe("reader").poll(100, 0)))) == list(range(40))


def test_a_closed_log_has_written_what_it_took_and_takes_no_more(any_engine: sa.Engine) -> None:
    log = EmbeddedLog(any_engine)
    waiting = [log.append([Record("key", str(index))]) for index in range(20)]
    log.close()
    log.close()
    assert all(done.done() for done in waiting)
    with pytest.raises(NotReady):
        log.append([Record("key", "late")])
    assert log.subscribe("reader").lag() == 20


def test_a_failed_write_is_told_to_whoever_waits(engine: sa.Engine) -> None:
    log = EmbeddedLog(engine)
    with transaction(engine) as connection:
        connection.exec_driver_sql("ALTER TABLE log_records RENAME TO elsewhere")
    with pytest.raises(sa.exc.OperationalError):
        append(log, "1")
    log.close()


def test_a_full_queue_sheds_instead_of_waiting(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foundation.eventlog.group_commit._MAX_WAITING", 1)
    log = EmbeddedLog(engine)
    with transaction(engine), pytest.raises(Overloaded, match="again"):  # nobody else can write: appends pile up
        for _ in range(5):
            log.append([Record("key", "body")])
    log.close()


def test_topics_do_not_mix(log: EmbeddedLog, any_engine: sa.Engine) -> None:
    other = EmbeddedLog(any_engine, "other")
    append(log, "mine")
    append(other, "theirs")
    assert bodies(other.subscribe("reader").poll(10, 0)) == ["theirs"]
    other.close()


def consume(subscription: EmbeddedSubscription, engine: sa.Engine, count: int) -> list[str]:
    records = subscription.poll(count, 0)
    with transaction(engine) as connection:
        subscription.commit(connection, records)
    return bodies(records)


def test_a_log_whose_records_were_lost_goes_on_behind_what_was_consumed(
    any_engine: sa.Engine, log: EmbeddedLog
) -> None:
    append(log, "1", "2")
    consume(log.subscribe("reader"), any_engine, 2)
    log.close()
    with transaction(any_engine) as connection:
        connection.execute(sa.delete(log_records))
        connection.execute(sa.delete(counters))

    after = EmbeddedLog(any_engine)
    append(after, "3", "4")

    assert bodies(after.subscribe("reader").poll(10, 0)) == ["3", "4"]
    after.close()


def test_what_is_consumed_goes_while_more_waits(
    any_engine: sa.Engine, log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foundation.eventlog.embedded._TRIM_EVERY_S", 0.0)
    monkeypatch.setattr("foundation.eventlog.embedded._TRIM_AT_ONCE", 2)
    append(log, *map(str, range(10)))
    subscription = log.subscribe("reader")

    taken = [one for _ in range(4) for one in consume(subscription, any_engine, 2)]

    with reading(any_engine) as connection:
        kept = connection.execute(sa.select(log_records.c.body).order_by(log_records.c.position)).scalars().all()
    assert (taken, kept) == (list(map(str, range(8))), ["6", "7", "8", "9"])
