"""Transactions, upserts and counters, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from foundation.clock import FrozenClock
from foundation.database.engine import insert_missing, reading, take_numbers, transaction, upsert
from foundation.database.tables import counters, leases


def values(engine: sa.Engine) -> dict[str, int]:
    with reading(engine) as connection:
        return {row.name: row.value for row in connection.execute(sa.select(counters))}


def test_an_exception_undoes_the_whole_transaction(any_engine: sa.Engine) -> None:
    with pytest.raises(RuntimeError), transaction(any_engine) as connection:
        upsert(connection, counters, [{"name": "a", "value": 1}])
        raise RuntimeError
    assert values(any_engine) == {}


def test_upsert_replaces_and_insert_missing_does_not(any_engine: sa.Engine) -> None:
    with transaction(any_engine) as connection:
        upsert(connection, counters, [{"name": "a", "value": 1}, {"name": "b", "value": 1}])
        upsert(connection, counters, [{"name": "a", "value": 2}])
        insert_missing(connection, counters, [{"name": "b", "value": 9}, {"name": "c", "value": 3}])
        upsert(connection, counters, [])
        insert_missing(connection, counters, [])
    assert values(any_engine) == {"a": 2, "b": 1, "c": 3}


def test_numbers_are_taken_once_and_without_gaps_by_writers_at_once(any_engine: sa.Engine) -> None:
    def take(count: int) -> list[int]:
        with transaction(any_engine) as connection:
            first = take_numbers(connection, "n", count)
        return list(range(first, first + count))

    with ThreadPoolExecutor(4) as pool:
        taken = [number for numbers in pool.map(take, [1, 2, 3, 4] * 5) for number in numbers]
    assert sorted(taken) == list(range(1, 51))


def test_numbers_of_a_transaction_that_fails_are_taken_again(any_engine: sa.Engine) -> None:
    with pytest.raises(RuntimeError), transaction(any_engine) as connection:
        take_numbers(connection, "n", 5)
        raise RuntimeError
    with transaction(any_engine) as connection:
        assert take_numbers(connection, "n", 1) == 1


def test_times_keep_their_moment_and_zone(any_engine: sa.Engine, clock: FrozenClock) -> None:
    there = clock.now().astimezone(timezone(timedelta(hours=-5)))
    with transaction(any_engine) as connection:
        insert_missing(connection, leases, [{"name": "a", "holder": "me", "until": there}])
    with reading(any_engine) as connection:
        read = connection.execute(sa.select(leases.c.until)).scalar_one()
    assert read == clock.now()
    assert read.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(engine: sa.Engine) -> None:
    naive = datetime(2026, 1, 5)  # noqa: DTZ001  the point of this test
    with pytest.raises(sa.exc.StatementError, match="without a zone"), transaction(engine) as connection:
        insert_missing(connection, leases, [{"name": "a", "holder": "me", "until": naive}])
