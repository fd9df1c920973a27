"""What cannot be read or stored is kept aside and holds up nothing."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future
from datetime import timedelta

import pytest
import sqlalchemy as sa

from collector.dead_letters.alarm import LATELY, DeadLetterAlarm
from collector.dead_letters.limit import DeadLetterLimit
from collector.dead_letters.store import Resent, list_latest, resend, resend_of_other_releases
from collector.join.consumer import Consumer
from collector.tables import dead_letters, events, impressions
from foundation.clock import FrozenClock
from foundation.database.engine import reading, transaction
from foundation.errors import NotFound
from foundation.eventlog.embedded import EmbeddedLog
from foundation.eventlog.protocol import Record
from foundation.telemetry.logs import configure_logs
from foundation.telemetry.metrics import METRICS
from tests.feedback import SETTINGS, SHOWN_AT, append, count, event, evidence_of, impression, records_of

UNFIT = records_of(event("e2", "rating", "q2", "a", 1e30), impression("q2"))
"""An event, and its list, which can be read and not stored: no column holds so many stars."""


class Crash(BaseException):
    """The end of a process."""


def put_aside(engine: sa.Engine, *records: Record) -> list[str]:
    """Store records as dead letters, though they are good, and return their ids."""
    rows = [
        {"id": str(number), "collection": "default", "reason": "an older release", "body": record.body, "at": SHOWN_AT}
        for number, record in enumerate(records)
    ]
    with transaction(engine) as connection:
        connection.execute(sa.insert(dead_letters), rows)
    return [str(row["id"]) for row in rows]


def crash_after_append(engine: sa.Engine, log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send every dead letter again, and end when the log has them."""

    def append_and_crash(records: list[Record]) -> Future[None]:
        append_records(records).result(10)
        raise Crash

    append_records = log.append
    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(log, "append", append_and_crash)
        resend(engine, log, "default")


@pytest.mark.parametrize("body", ["{not json", "[]", '{"kind":"mystery"}', "[" * 100_000])
def test_a_record_that_cannot_be_read_keeps_its_neighbours(
    any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer, body: str
) -> None:
    good = records_of(impression("q1"), event("e1", "click", "q1", "a"))
    log.append([good[0], Record("default/q1", body), good[1]]).result(10)

    assert consumer.step() == 3

    assert evidence_of(any_engine, "a").users == 1
    with reading(any_engine) as connection:
        (letter,) = connection.execute(sa.select(dead_letters)).all()
    assert (letter.collection, letter.body) == ("default", body)
    assert letter.reason


def test_a_record_that_the_database_refuses_keeps_its_neighbours(
    any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer
) -> None:
    append(log, impression("q1"), event("e1", "click", "q1", "a"))
    log.append(UNFIT).result(10)

    assert consumer.step() == 4

    assert evidence_of(any_engine, "a").users == 1
    assert count(any_engine, dead_letters) == 1


def test_dead_letters_can_be_sent_again(any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer) -> None:
    put_aside(any_engine, *records_of(impression("q1")))

    assert resend(any_engine, log, "default") == Resent(sent=1, unreadable=0)
    consumer.step()

    assert (count(any_engine, dead_letters), count(any_engine, impressions)) == (0, 1)


def test_only_the_named_ones_are_sent_again(any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer) -> None:
    first, second = put_aside(any_engine, *records_of(impression("q1"), impression("q2")))

    assert resend(any_engine, log, "default", [second]).sent == 1
    with pytest.raises(NotFound, match="no dead letter 'x'"):
        resend(any_engine, log, "default", [first, "x"])
    consumer.step()

    assert [letter.id for letter in list_latest(any_engine, "default", 10)] == [first]
    with reading(any_engine) as connection:
        assert connection.execute(sa.select(impressions.c.query_id)).scalars().all() == ["q2"]


def test_those_of_another_collection_stay(any_engine: sa.Engine, log: EmbeddedLog) -> None:
    put_aside(any_engine, *records_of(impression("q1")))

    assert resend(any_engine, log, "help") == Resent(sent=0, unreadable=0)
    assert count(any_engine, dead_letters) == 1


def test_what_still_cannot_be_read_stays_and_holds_up_nobody(
    any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer
) -> None:
    put_aside(any_engine, Record("default/q1", "{not json"), *records_of(impression("q1")))

    assert resend(any_engine, log, "default") == Resent(sent=1, unreadable=1)
    assert consumer.step() == 1
    assert [letter.beginning for letter in list_latest(any_engine, "default", 10)] == ["{not json"]


def test_what_fails_again_comes_back_once(
    any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer, clock: FrozenClock
) -> None:
    log.append(UNFIT).result(10)
    consumer.step()
    (before,) = list_latest(any_engine, "default", 10)
    clock.advance(timedelta(minutes=1))

    assert resend(any_engine, log, "default").sent == 1
    assert count(any_engine, dead_letters) == 0
    consumer.step()

    (after,) = list_latest(any_engine, "default", 10)
    assert (after.id, after.at - before.at) == (before.id, timedelta(minutes=1))


def test_what_fails_again_before_it_is_forgotten_is_not_lost(
    any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def append_and_fold(records: list[Record]) -> Future[None]:
        done = append_records(records)
        done.result(10)
        clock.advance(timedelta(seconds=1))
        consumer.step()
        return done

    log.append(UNFIT).result(10)
    consumer.step()
    append_records = log.append
    monkeypatch.setattr(log, "append", append_and_fold)

    assert resend(any_engine, log, "default").sent == 1
    assert count(any_engine, dead_letters) == 1


def test_after_a_crash_in_between_what_is_sent_twice_counts_once(
    any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append(UNFIT).result(10)
    consumer.step()
    put_aside(any_engine, *records_of(impression("q1"), event("e1", "click", "q1", "a")))
    clock.advance(timedelta(minutes=1))

    crash_after_append(any_engine, log, monkeypatch)
    assert count(any_engine, dead_letters) == 3
    assert resend(any_engine, log, "default").sent == 3
    assert consumer.step() == 6

    assert count(any_engine, dead_letters) == 1
    assert (count(any_engine, impressions), count(any_engine, events)) == (1, 2)
    assert evidence_of(any_engine, "a").users == 1


def test_after_a_crash_in_between_what_failed_again_is_one_letter(
    any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append(UNFIT).result(10)
    consumer.step()

    crash_after_append(any_engine, log, monkeypatch)
    consumer.step()

    assert count(any_engine, dead_letters) == 1


def test_no_more_of_a_letter_is_told_than_its_beginning(
    any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer
) -> None:
    log.append([Record("default/q1", '{"kind":"\x1b[31m"' + "x" * 1000), *UNFIT]).result(10)
    consumer.step()

    told = list_latest(any_engine, "default", 10)

    assert max(len(letter.beginning) for letter in told) == 60
    assert all((letter.reason + letter.beginning).isprintable() for letter in told)
    assert not any("toner" in letter.reason + letter.beginning for letter in told), "the query is not shown"
    assert len(list_latest(any_engine, "default", 1)) == 1


def test_more_than_the_limit_raises_an_alarm_and_stops_nothing(
    any_engine: sa.Engine, log: EmbeddedLog, clock: FrozenClock, capsys: pytest.CaptureFixture[str]
) -> None:
    consumer = Consumer(any_engine, log.subscribe("collector"), SETTINGS, clock, limit=DeadLetterLimit(run=10))
    configure_logs("info")
    bad = [Record("default/x", f"?{number}") for number in range(11)]
    log.append([*bad, *records_of(impression("q1", collection="other"))]).result(10)
    consumer.step()
    during = alarms()
    append(log, impression("q1"))
    consumer.step()

    assert (during, alarms()) == (1, 0)
    assert (count(any_engine, dead_letters), count(any_engine, impressions)) == (11, 2)
    lines = [line["event"] for line in map(json.loads, capsys.readouterr().err.splitlines())]
    assert sum("too many records become dead letters" in line for line in lines) == 1
    assert sum("taken again" in line for line in lines) == 1


def test_a_flood_of_records_of_our_own_that_cannot_be_taken_stops_nothing(
    any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer
) -> None:
    long = [impression(f"q{number}", query="\ufdfa" * 200) for number in range(150)]
    append(log, *long, impression("q1", collection="other"), event("e1", "click", "q1", "a", collection="other"))

    assert consumer.step() == 152

    assert (consumer.step(), count(any_engine, dead_letters)) == (0, 150)
    assert evidence_of(any_engine, "a", "other").users == 1


def test_processes_that_do_not_collect_tell_too_many_of_the_last_minutes(
    any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer, clock: FrozenClock
) -> None:
    alarm = DeadLetterAlarm(any_engine, clock, DeadLetterLimit(run=3))
    log.append([Record("default/x", f"?{number}") for number in range(4)]).result(10)
    log.append([Record("other/x", f"?{number}") for number in range(3)]).result(10)
    consumer.step()

    (told,) = alarm.refresh()
    assert alarm.problems() == [told]
    assert "4 records of collection 'default'" in told
    clock.advance(LATELY)
    assert alarm.refresh() == []


def test_what_another_release_put_aside_is_tried_once_more(
    any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer
) -> None:
    put_aside(any_engine, *records_of(impression("q1")), Record("default/x", "?"))
    log.append(UNFIT).result(10)
    consumer.step()

    assert resend_of_other_releases(any_engine, log) == Resent(sent=1, unreadable=1)
    assert resend_of_other_releases(any_engine, log) == Resent(sent=0, unreadable=0)
    consumer.step()

    assert (count(any_engine, dead_letters), count(any_engine, impressions)) == (2, 1)


def test_what_the_log_refuses_is_told_and_keeps_none_of_the_others(
    any_engine: sa.Engine, log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def append_but_large(records: list[Record]) -> Future[None]:
        if any(record.key.endswith("/1") for record in records):
            raise OverflowError("too large")
        return append_records(records)

    put_aside(any_engine, *records_of(impression("q1"), impression("q2"), impression("q3")))
    append_records = log.append
    monkeypatch.setattr(log, "append", append_but_large)

    assert resend_of_other_releases(any_engine, log) == Resent(sent=2, unreadable=1)
    assert resend_of_other_releases(any_engine, log) == Resent(sent=0, unreadable=0)
    letters = list_latest(any_engine, "default", 10)
    assert [letter.reason for letter in letters] == ["the event log refuses it: too large"]


def test_a_look_that_fails_keeps_none_of_the_others(
    any_engine: sa.Engine, log: EmbeddedLog, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ValueError("of one record")

    monkeypatch.setattr("collector.join.consumer._REVIEW_EVERY_S", 0)
    stop = threading.Event()

    Consumer(any_engine, log.subscribe("collector"), SETTINGS, clock, [fail, stop.set]).run(stop)

    assert stop.is_set()


@pytest.mark.postgres
def test_what_the_database_finds_too_large_is_the_fault_of_the_record(
    postgres_engine: sa.Engine, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EmbeddedLog(postgres_engine)
    monkeypatch.setattr("collector.intake.logged.query_fault", lambda _: "")
    monkeypatch.setattr("collector.intake.logged.MAX_QUERY_BYTES", 1_000_000)
    noise = "".join(chr(0x4E00 + number * 7919 % 20000) for number in range(20_000))
    append(log, impression("q1"), impression("q2", query=noise))

    assert Consumer(postgres_engine, log.subscribe("collector"), SETTINGS, clock).step() == 2

    assert (count(postgres_engine, dead_letters), count(postgres_engine, impressions)) == (1, 1)
    log.close()


def alarms() -> float:
    value = METRICS.get_sample_value("clickloop_dead_letter_alarms")
    assert value is not None
    return value
