"""A query is suggested once enough different people asked it and found something."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from collector.fold.outcomes import NO_OUTCOME
from collector.reads.asked import read_asked
from collector.tables import impressions, quarantine
from foundation.clock import FrozenClock
from foundation.contracts import query_key
from foundation.database.engine import transaction
from serving.suggest import Suggester
from tests.catalogs import add, make_corpus


def note(
    engine: sa.Engine,
    clock: FrozenClock,
    query: str,
    unit: str,
    *,
    clicks: int = 1,
    days_ago: int = 1,
    surface: str = "page",
) -> None:
    query_id = f"{query} {unit} {days_ago} {clicks}"
    row = {
        "collection": "default",
        "query_id": query_id,
        "query": query,
        "query_key": query_key(query),
        "unit": unit or query_id,
        "period": 0,
        "version": "v",
        "experiment": "",
        "arm": "champion",
        "surface": surface,
        "results": [],
        "outcome": NO_OUTCOME.to_json(),
        "clicks": clicks,
        "at": clock.now() - timedelta(days=days_ago),
    }
    with transaction(engine) as connection:
        connection.execute(sa.insert(impressions), [row])


def test_people_count_not_searches(any_engine: sa.Engine, clock: FrozenClock) -> None:
    for person in range(3):
        note(any_engine, clock, "print envelope", f"user {person}")
    for day in range(9):
        note(any_engine, clock, "my own secret", "one user", days_ago=day)

    assert [one.text for one in read_asked(any_engine, "default", clock.now(), 3)] == ["print envelope"]


def test_all_searches_of_nobody_are_one_persons(any_engine: sa.Engine, clock: FrozenClock) -> None:
    for day in range(9):
        note(any_engine, clock, "my own secret", "", days_ago=day)
        note(any_engine, clock, "print envelope", "", days_ago=day)
    note(any_engine, clock, "print envelope", "a person")

    assert [one.text for one in read_asked(any_engine, "default", clock.now(), 2)] == ["print envelope"]


def test_what_led_to_nothing_or_is_long_ago_is_not_suggested(any_engine: sa.Engine, clock: FrozenClock) -> None:
    for person in range(3):
        note(any_engine, clock, "found nothing", f"user {person}", clicks=0)
        note(any_engine, clock, "asked last year", f"user {person}", days_ago=300)

    assert read_asked(any_engine, "default", clock.now(), 3) == []


def test_searches_of_people_who_click_nothing_change_nothing(any_engine: sa.Engine, clock: FrozenClock) -> None:
    for person in range(3):
        note(any_engine, clock, "print envelope", f"user {person}")
        note(any_engine, clock, "print label", f"user {person}")
    before = read_asked(any_engine, "default", clock.now(), 3)
    for number in range(40):
        note(any_engine, clock, "print label", f"silent {number}", clicks=0)
        note(any_engine, clock, "print label", "", clicks=0, days_ago=number)
        note(any_engine, clock, "buy from me", f"silent {number}", clicks=0)
    note(any_engine, clock, "buy from me", "user 0", days_ago=1)

    assert read_asked(any_engine, "default", clock.now(), 3) == before


def test_collections_do_not_hear_of_each_other(any_engine: sa.Engine, clock: FrozenClock) -> None:
    for person in range(3):
        note(any_engine, clock, "print envelope", f"user {person}")
    suggester = Suggester(any_engine, clock, 3)

    assert suggester.complete("default", "env", 5) == ["print envelope"]
    assert suggester.complete("other", "env", 5) == []


def test_a_query_is_shown_as_most_people_typed_it(any_engine: sa.Engine, clock: FrozenClock) -> None:
    for form in ("iPhone  Setup", "iphone setup"):
        for day in range(5):
            note(any_engine, clock, form, "one user", days_ago=day)
    note(any_engine, clock, "iPhone  Setup", "another")

    assert [one.text for one in read_asked(any_engine, "default", clock.now(), 2)] == ["iPhone Setup"]


def test_what_held_users_ask_is_not_suggested(any_engine: sa.Engine, clock: FrozenClock) -> None:
    for person in ("a person", "a machine"):
        note(any_engine, clock, "print envelope", person)
    row = {"collection": "default", "unit": "a machine", "state": "held", "reasons": [], "score": 3.0}
    with transaction(any_engine) as connection:
        connection.execute(sa.insert(quarantine), [row | {"since": clock.now(), "released_by": ""}])

    assert read_asked(any_engine, "default", clock.now(), 2) == []


def test_what_agents_ask_is_no_persons_question(any_engine: sa.Engine, clock: FrozenClock) -> None:
    for agent in range(5):
        note(any_engine, clock, "print envelope", f"agent {agent}", surface="agent")
    note(any_engine, clock, "print envelope", "a person")

    assert read_asked(any_engine, "default", clock.now(), 2) == []


def test_new_questions_come_without_making_anybody_wait(
    engine: sa.Engine, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggester = Suggester(engine, clock, 1)
    assert suggester.complete("default", "print", 5) == []
    note(engine, clock, "print envelope", "a person")
    monkeypatch.setattr("serving.suggest._REFRESH_S", 0.0)

    assert suggester.complete("default", "print", 5) == []  # what is known, while the new is read
    deadline = time.monotonic() + 20
    while suggester.complete("default", "print", 5) != ["print envelope"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_documents_are_suggested_from_the_first_day_and_queries_before_them(
    engine: sa.Engine, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.suggest._REFRESH_S", 0.0)
    corpus = make_corpus([{"id": "1", "title": "Printing labels", "brand": "printo"}])
    suggester = Suggester(engine, clock, 2, corpus_of={"default": corpus}.get, fields_of=lambda _: ["brand"])
    assert suggester.complete("default", "pri", 5) == ["printo", "Printing labels"]
    assert suggester.complete("other", "pri", 5) == []
    for person in range(2):
        note(engine, clock, "print envelope", f"user {person}")
    add(corpus, [{"id": "1", "title": "Prints", "brand": "printo"}])

    deadline = time.monotonic() + 20
    while suggester.complete("default", "pri", 5) != ["print envelope", "printo", "Prints"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
