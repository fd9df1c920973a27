"""One holder per job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import sqlalchemy as sa

from foundation.clock import FrozenClock
from foundation.leases import Leases

MINUTE = timedelta(minutes=1)


def test_only_one_process_holds_a_lease(any_engine: sa.Engine, clock: FrozenClock) -> None:
    mine, yours = Leases(any_engine, clock, "me"), Leases(any_engine, clock, "you")
    assert mine.take("train", MINUTE)
    assert not yours.take("train", MINUTE)
    assert yours.take("index", MINUTE)


def test_the_holder_renews_and_gives_back(any_engine: sa.Engine, clock: FrozenClock) -> None:
    mine, yours = Leases(any_engine, clock, "me"), Leases(any_engine, clock, "you")
    mine.take("train", MINUTE)
    clock.advance(timedelta(seconds=50))
    assert mine.take("train", MINUTE)
    clock.advance(timedelta(seconds=50))
    yours.give("train")
    assert not yours.take("train", MINUTE)
    mine.give("train")
    assert yours.take("train", MINUTE)


def test_the_lease_of_a_dead_holder_runs_out(any_engine: sa.Engine, clock: FrozenClock) -> None:
    mine, yours = Leases(any_engine, clock, "me"), Leases(any_engine, clock, "you")
    mine.take("train", MINUTE)
    clock.advance(MINUTE)
    assert yours.take("train", MINUTE)
    assert not mine.take("train", MINUTE)


def test_of_many_who_ask_at_once_one_gets_it(any_engine: sa.Engine, clock: FrozenClock) -> None:
    def ask(holder: int) -> bool:
        return Leases(any_engine, clock, str(holder)).take("train", MINUTE)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ask, range(8))) == 1
