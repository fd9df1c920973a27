"""What cannot be read or stored is kept aside and holds up nothing."""

from __future__ import annotations

import json
import threading

import pytest
import sqlalchemy as sa

from collector.consumer import MAX_DEAD_IN_A_ROW, Consumer, TooManyDeadLetters
from collector.dead_letters import resend
from foundation.db import reading, transaction
from foundation.eventlog import EmbeddedLog, Record
from foundation.tables import dead_letters, impressions
from tests.feedback import SHOWN_AT, append, count, event, evidence_of, impression, records_of


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
    beyond = json.loads(records_of(impression("q2"))[0].body) | {"at": "9999-12-30T00:00:00+00:00"}
    append(log, impression("q1"), event("e2", "click", "q2", "a"), event("e1", "click", "q1", "a"))
    log.append([Record("default/q2", json.dumps(beyond))]).result(10)

    assert consumer.step() == 4

    assert evidence_of(any_engine, "a").users == 1
    assert count(any_engine, dead_letters) == 1


def test_dead_letters_can_be_sent_again(any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer) -> None:
    good = records_of(impression("q1"))[0]
    with transaction(any_engine) as connection:
        row = {"id": "1", "collection": "default", "reason": "an older release", "body": good.body, "at": SHOWN_AT}
        connection.execute(sa.insert(dead_letters), [row])

    assert resend(any_engine, log, "default") == 1
    consumer.step()

    assert (count(any_engine, dead_letters), count(any_engine, impressions)) == (0, 1)


def test_a_log_of_something_else_stops_the_consumer(
    any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer
) -> None:
    log.append([Record("default/x", "?") for _ in range(MAX_DEAD_IN_A_ROW + 1)]).result(10)

    with pytest.raises(TooManyDeadLetters, match="dead_letters"):
        consumer.run(threading.Event())

    assert count(any_engine, dead_letters) == MAX_DEAD_IN_A_ROW + 1


def test_dead_letters_between_good_records_do_not_stop_it(
    any_engine: sa.Engine, log: EmbeddedLog, consumer: Consumer
) -> None:
    bad = [Record("default/x", "?") for _ in range(MAX_DEAD_IN_A_ROW)]
    log.append([*bad, *records_of(impression("q1")), *bad]).result(10)

    consumer.step()

    assert count(any_engine, impressions) == 1
