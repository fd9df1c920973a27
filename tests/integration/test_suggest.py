"""A query is suggested once enough different people asked it and found something."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from collector.fold import NO_OUTCOME
from foundation.clock import FrozenClock
from foundation.db import transaction
from foundation.tables import impressions
from serving.suggest import Suggester, read_asked


def note(engine: sa.Engine, clock: FrozenClock, query: str, unit: str, *, clicks: int = 1, days_ago: int = 1) -> None:
    row = {
        "collection": "default",
        "query_id": f"{query} {unit} {days_ago} {clicks}",
        "query": query,
        "query_key": query,
        "unit": unit,
        "period": 0,
        "version": "v",
        "experiment": "",
        "arm": "champion",
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


def test_what_led_to_nothing_or_is_long_ago_is_not_suggested(any_engine: sa.Engine, clock: FrozenClock) -> None:
    for person in range(3):
        note(any_engine, clock, "found nothing", f"user {person}", clicks=0)
        note(any_engine, clock, "asked last year", f"user {person}", days_ago=300)

    assert read_asked(any_engine, "default", clock.now(), 3) == []


def test_collections_do_not_hear_of_each_other(any_engine: sa.Engine, clock: FrozenClock) -> None:
    for person in range(3):
        note(any_engine, clock, "print envelope", f"user {person}")
    suggester = Suggester(any_engine, clock, 3)

    assert suggester.complete("default", "env", 5) == ["print envelope"]
    assert suggester.complete("other", "env", 5) == []
