"""What a person chose is read for a personal order, and goes with the person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from collector.api import read_choices
from collector.join.batch import fold_batch
from collector.privacy.erasure import Eraser
from foundation.clock import FrozenClock
from foundation.contracts import ChosenList, EventType, FeedbackEvent, Impression, ShownResult
from foundation.database.engine import reading, transaction
from foundation.eventlog.embedded import EmbeddedLog
from foundation.settings import Settings
from tests.conftest import START
from tests.people import PRIVACY

SETTINGS = Settings(_env_file=None)
ANNA, BERT = PRIVACY.person("anna"), PRIVACY.person("bert")


def shown(query_id: str, unit: str = ANNA, at: datetime = START, forced: str = "", surface: str = "page") -> Impression:
    results = tuple(ShownResult(name, rank, 1 / rank, forced=name in forced) for rank, name in enumerate("abc", 1))
    return Impression("default", query_id, "toner", unit, "v-1", results, at, surface=surface)


def did(query_id: str, document: str, kind: EventType = "click", value: float = 0.0) -> FeedbackEvent:
    number = f"{query_id}-{document}-{kind}"
    return FeedbackEvent("default", number, kind, query_id, document, ANNA, value, START, START)


def fold(engine: sa.Engine, *content: Impression | FeedbackEvent) -> None:
    with transaction(engine) as connection:
        fold_batch(connection, content, SETTINGS)


def read(engine: sa.Engine, person: str = ANNA, limit: int = 10) -> list[ChosenList]:
    with reading(engine) as connection:
        return read_choices(connection, "default", person, START - timedelta(days=30), limit)


def test_clicks_count_and_purchases_more(any_engine: sa.Engine) -> None:
    fold(any_engine, shown("q1"), did("q1", "a"), did("q1", "b"), did("q1", "b", "conversion"))
    assert read(any_engine) == [ChosenList("q1", START, {"a": 1, "b": 2, "c": 3}, {"a": 1.0, "b": 3.0})]


def test_what_disappointed_was_forced_or_is_of_others_does_not(any_engine: sa.Engine) -> None:
    fold(any_engine, shown("q1"), did("q1", "a"), did("q1", "a", "dwell", 2.0))
    fold(any_engine, shown("q2", forced="a"), did("q2", "a"))
    fold(any_engine, shown("q3", unit=BERT), did("q3", "a"), shown("q4", surface="agent"), did("q4", "a"), shown("q5"))
    fold(any_engine, shown("q6", forced="b"), did("q6", "b"), did("q6", "c"))
    assert read(any_engine) == [ChosenList("q6", START, {"a": 1, "c": 3}, {"c": 1.0})]


def test_the_latest_lists_are_read_and_no_more(any_engine: sa.Engine) -> None:
    for day in range(0, 60, 8):
        fold(
            any_engine,
            shown(f"q{day}", at=START - timedelta(days=day)),
            replace(did(f"q{day}", "a"), at=START - timedelta(days=day), received_at=START - timedelta(days=day)),
        )
    assert [one.query_id for one in read(any_engine, limit=2)] == ["q0", "q8"]
    assert len(read(any_engine)) < 6


def test_it_is_one_read_by_the_index_of_units(engine: sa.Engine) -> None:
    asked: list[tuple[str, Any]] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    read(engine)
    ((statement, values),) = [one for one in asked if one[0].startswith("SELECT")]
    with reading(engine) as connection:
        plan = connection.exec_driver_sql(f"explain query plan {statement}", values).all()
    assert "impressions_by_unit" in str(plan)


def test_it_is_erased_with_the_person(any_engine: sa.Engine, log: EmbeddedLog, clock: FrozenClock) -> None:
    fold(any_engine, shown("q1"), did("q1", "a"), shown("q2", unit=BERT), replace(did("q2", "a"), user=BERT))
    clock.advance(timedelta(hours=1))
    Eraser(any_engine, log, PRIVACY.pseudonyms, SETTINGS, clock).erase("default", "anna")
    assert (read(any_engine), len(read(any_engine, BERT))) == ([], 1)
