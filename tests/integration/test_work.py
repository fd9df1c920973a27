"""What a batch and an erasure read grows with what changes, not with all that busy people ever did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from collector.join.batch import fold_batch
from collector.join.evidence import evidence_digest
from collector.join.people import Traces, forget
from collector.join.replay import replay
from foundation.contracts import FeedbackEvent, Impression
from foundation.database.engine import transaction
from tests.feedback import SETTINGS, event, impression

MANY = 1200
_STEPS = 100


@contextmanager
def counting(connection: sa.Connection) -> Iterator[Callable[[], int]]:
    """Count the instructions that SQLite carries out, in hundreds."""
    ticks: list[None] = []
    sqlite = connection.connection.driver_connection
    assert sqlite is not None
    sqlite.set_progress_handler(lambda: ticks.append(None), _STEPS)
    yield lambda: len(ticks)
    sqlite.set_progress_handler(None, 0)


def fold(engine: sa.Engine, *content: Impression | FeedbackEvent) -> int:
    """Fold a batch and return what SQLite did for it."""
    with transaction(engine) as connection, counting(connection) as steps:
        fold_batch(connection, content, SETTINGS)
        return steps()


def busy(lists: int, unit: str = "busy") -> Sequence[Impression]:
    return [
        impression(f"{unit}/{number}", unit=unit, query=f"query {number}", minutes=10 + number)
        for number in range(lists)
    ]


def test_who_returns_after_a_week_does_not_make_all_weeks_be_read_again(engine: sa.Engine) -> None:
    fold(engine, impression("r1", unit="returning"), event("er1", "click", "r1", "a"))
    fold(engine, *busy(MANY), event("eb", "click", f"busy/{MANY - 1}", "a"))
    late: list[Impression | FeedbackEvent] = [
        impression("b", unit="busy", minutes=1300),
        event("eb2", "click", "b", "a"),
    ]
    again: list[Impression | FeedbackEvent] = [
        impression("r2", unit="returning", minutes=1300),
        event("er2", "click", "r2", "b"),
    ]

    steps = fold(engine, *late, *again)

    assert steps < 50, "hundreds of instructions; the 1,200 lists that were considered before take 300"
    after = evidence_digest(engine, "default")
    replay(engine, "default", SETTINGS)
    assert evidence_digest(engine, "default") == after


def test_erasing_who_clicked_in_a_list_of_a_busy_person_reads_little_of_that_person(engine: sa.Engine) -> None:
    fold(engine, *busy(MANY), event("eb", "click", f"busy/{MANY - 1}", "a"), event("em", "click", "busy/5", "b"))

    with transaction(engine) as connection, counting(connection) as steps:
        gone = forget(connection, "default", Traces([], {"em": "busy/5"}), SETTINGS)

        assert steps() < 50, "hundreds of instructions; a vote takes two"
    assert (gone.impressions, gone.events, gone.evidence) == (0, 1, 1)
    after = evidence_digest(engine, "default")
    replay(engine, "default", SETTINGS)
    assert evidence_digest(engine, "default") == after


def test_erasing_the_last_click_takes_back_what_it_showed(engine: sa.Engine) -> None:
    fold(engine, *busy(20), event("em", "click", "busy/5", "b"), event("eb", "click", "busy/19", "a"))

    with transaction(engine) as connection:
        gone = forget(connection, "default", Traces([], {"eb": "busy/19"}), SETTINGS)

    assert gone.evidence == 3 * 14, "of the lists between both clicks, and of the one that had the last"
    after = evidence_digest(engine, "default")
    replay(engine, "default", SETTINGS)
    assert evidence_digest(engine, "default") == after


def test_an_erasure_in_parts_leaves_what_a_recount_gives(engine: sa.Engine) -> None:
    mine = [one for number in range(3) for one in busy(400, f"me{number}")]
    clicks = [event(f"e{number}", "click", f"me{number % 3}/{number}", "b") for number in range(0, 400, 7)]
    fold(engine, *busy(30), event("eb", "click", "busy/29", "a"))
    without = evidence_digest(engine, "default")
    fold(engine, *mine, *clicks)

    with transaction(engine) as connection:
        gone = forget(connection, "default", Traces([one.query_id for one in mine], {}), SETTINGS)

    assert gone.impressions == 1200
    assert evidence_digest(engine, "default") == without
