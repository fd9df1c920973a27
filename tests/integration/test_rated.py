"""What rated lists tell of those that were not, on every kind of database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from collector.click_models.labels import USUAL_SIGNALS, Signals
from collector.join.batch import fold_batch
from collector.quarantine.quarantine import Quarantine
from collector.reads.rated import MAX_LISTS_PER_PERSON, read_signals
from foundation.clock import SystemClock
from foundation.contracts import FeedbackEvent, Impression
from foundation.database.engine import reading, transaction
from tests.feedback import SETTINGS, event, impression

Content = Iterator[Impression | FeedbackEvent]


def a_person(query_id: str) -> str:
    return f"u-{query_id}"


def a_flooder(_: str) -> str:
    return "flooder"


def nobody(query_id: str) -> str:
    return query_id


def rated(
    stars: float, lists: int, unit: Callable[[str], str] = a_person, query: Callable[[str], str] = lambda _: "toner"
) -> Content:
    """Return so many lists that were rated alike by people who stayed for a minute."""
    for number in range(lists):
        query_id = f"{unit.__name__}-{stars}-{number}"
        yield impression(query_id, unit=unit(query_id), query=query(query_id), minutes=number)
        yield event(f"d-{query_id}", "dwell", query_id, "a", 60.0, seconds=60 * number)
        yield event(f"r-{query_id}", "rating", query_id, "a", stars, seconds=60 * number)


def fold(engine: sa.Engine, *content: Content) -> None:
    with transaction(engine) as connection:
        fold_batch(connection, [one for some in content for one in some], SETTINGS)


def signals_of(engine: sa.Engine) -> Signals:
    with reading(engine) as connection:
        return read_signals(connection, "default", SETTINGS.lists_per_user)


def test_a_collection_without_ratings_has_the_usual_signals(any_engine: sa.Engine) -> None:
    fold(any_engine, iter([impression("q"), event("d", "dwell", "q", "a", 60.0)]))

    found = signals_of(any_engine)

    assert found.satisfied == pytest.approx(USUAL_SIGNALS.satisfied)
    assert found.dissatisfied == pytest.approx(USUAL_SIGNALS.dissatisfied)


def test_long_stays_at_documents_that_users_like_count_for_more(any_engine: sa.Engine) -> None:
    fold(any_engine, rated(5.0, 60))

    assert signals_of(any_engine).satisfied > USUAL_SIGNALS.satisfied


def test_long_stays_at_documents_that_users_dislike_count_for_less(any_engine: sa.Engine) -> None:
    fold(any_engine, rated(1.0, 60))

    assert signals_of(any_engine).satisfied < USUAL_SIGNALS.satisfied


def test_of_one_user_the_lists_count_that_evidence_counts(any_engine: sa.Engine) -> None:
    fold(any_engine, rated(1.0, SETTINGS.lists_per_user, a_flooder))
    few = signals_of(any_engine)

    fold(any_engine, rated(1.0, 400, a_flooder))

    assert few.satisfied < USUAL_SIGNALS.satisfied
    assert signals_of(any_engine) == few


@pytest.mark.parametrize("unit", [a_flooder, nobody])
def test_nobody_speaks_for_all_by_asking_many_things(any_engine: sa.Engine, unit: Callable[[str], str]) -> None:
    fold(any_engine, rated(5.0, 60), rated(1.0, MAX_LISTS_PER_PERSON, unit, query=str))
    few = signals_of(any_engine)

    fold(any_engine, rated(1.0, 400, unit, query=str))

    assert signals_of(any_engine) == few


def test_ratings_of_held_users_do_not_count(any_engine: sa.Engine) -> None:
    fold(any_engine, rated(5.0, 60))
    clean = signals_of(any_engine)
    fold(any_engine, rated(1.0, 40, a_flooder, query=str))
    assert signals_of(any_engine) != clean
    house = Quarantine(any_engine, SETTINGS, SystemClock())

    house.hold("default", "flooder")
    assert signals_of(any_engine) == clean

    house.release("default", "flooder", "me")
    assert signals_of(any_engine) != clean
