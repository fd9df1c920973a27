"""One holder per job."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from foundation.clock import FrozenClock, SystemClock
from foundation.database.engine import reading, transaction, upsert
from foundation.database.leases import Lease, LeaseLost, Leases
from foundation.database.tables import counters

MINUTE = timedelta(minutes=1)


def test_only_one_process_holds_a_lease(any_engine: sa.Engine, clock: FrozenClock) -> None:
    mine, yours = Leases(any_engine, clock, "me"), Leases(any_engine, clock, "you")
    assert mine.take("train", MINUTE)
    assert not yours.take("train", MINUTE)
    assert yours.take("index", MINUTE)


def test_the_holder_renews_and_gives_back(any_engine: sa.Engine, clock: FrozenClock) -> None:
    mine, yours = Leases(any_engine, clock, "me"), Leases(any_engine, clock, "you")
    lease = mine.take("train", MINUTE)
    assert lease
    clock.advance(timedelta(seconds=50))
    assert mine.take("train", MINUTE) == lease
    clock.advance(timedelta(seconds=50))
    assert not yours.take("train", MINUTE)
    assert mine.give(lease)
    assert yours.take("train", MINUTE)
    assert not mine.give(lease)


def test_the_lease_of_a_dead_holder_runs_out(any_engine: sa.Engine, clock: FrozenClock) -> None:
    mine, yours = Leases(any_engine, clock, "me"), Leases(any_engine, clock, "you")
    mine.take("train", MINUTE)
    clock.advance(MINUTE)
    assert yours.take("train", MINUTE)
    assert not mine.take("train", MINUTE)


def test_of_many_who_ask_at_once_one_gets_it(any_engine: sa.Engine, clock: FrozenClock) -> None:
    def ask(holder: int) -> bool:
        return bool(Leases(any_engine, clock, str(holder)).take("train", MINUTE))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ask, range(8))) == 1


def write(engine: sa.Engine, value: int) -> None:
    with transaction(engine) as connection:
        upsert(connection, counters, [{"name": "written", "value": value}])


def written(engine: sa.Engine) -> int | None:
    with reading(engine) as connection:
        return connection.execute(sa.select(counters.c.value)).scalar_one_or_none()


def taken(leases: Leases) -> Lease:
    lease = leases.take("train", MINUTE)
    assert lease is not None
    return lease


def test_every_new_holder_has_a_greater_number(any_engine: sa.Engine, clock: FrozenClock) -> None:
    mine, yours = Leases(any_engine, clock, "me"), Leases(any_engine, clock, "you")
    first = taken(mine)
    mine.give(first)
    second = taken(yours)
    clock.advance(MINUTE)
    third = taken(Leases(any_engine, clock, "me"))  # of the same name, as a process that was started again

    assert first.number < second.number < third.number


def test_what_a_paused_holder_writes_is_refused_by_the_database(any_engine: sa.Engine, clock: FrozenClock) -> None:
    mine, yours = Leases(any_engine, clock, "me"), Leases(any_engine, clock, "you")
    stale = taken(mine)
    with mine.guarded(stale):
        write(any_engine, 1)
        clock.advance(2 * MINUTE)
        write(any_engine, 2)  # nobody took over, so nothing is lost
    with yours.guarded(taken(yours)):
        write(any_engine, 3)

    with mine.guarded(stale), pytest.raises(LeaseLost, match="'train'"):
        write(any_engine, 4)

    assert written(any_engine) == 3
    write(any_engine, 5)  # of somebody who needs no lease


def test_nobody_takes_over_between_the_check_and_the_write(any_engine: sa.Engine, clock: FrozenClock) -> None:
    mine, yours = Leases(any_engine, clock, "me"), Leases(any_engine, clock, "you")
    lease = taken(mine)
    clock.advance(2 * MINUTE)
    with ThreadPoolExecutor(1) as pool:
        with mine.guarded(lease), transaction(any_engine) as connection:
            taking = pool.submit(taken, yours)
            time.sleep(0.3)
            assert not taking.done()
            upsert(connection, counters, [{"name": "written", "value": 1}])
        assert taking.result(20).number > lease.number


def test_a_lost_lease_is_neither_renewed_nor_given_back(any_engine: sa.Engine, clock: FrozenClock) -> None:
    mine, yours = Leases(any_engine, clock, "me"), Leases(any_engine, clock, "you")
    lease = taken(mine)
    clock.advance(MINUTE)
    assert mine.renew(lease, MINUTE)
    clock.advance(MINUTE)
    taken(yours)

    assert not mine.renew(lease, MINUTE)
    assert not mine.give(lease)
    assert not mine.take("train", MINUTE)


def test_a_lease_is_renewed_beside_the_work(any_engine: sa.Engine, clock: FrozenClock) -> None:
    mine, yours = Leases(any_engine, clock, "me"), Leases(any_engine, clock, "you")
    with mine.renewing(taken(mine), MINUTE, every_s=0.05):
        clock.advance(timedelta(seconds=50))
        time.sleep(0.5)
        clock.advance(timedelta(seconds=50))
        assert not yours.take("train", MINUTE)


def test_a_lease_of_a_clock_that_was_put_right_ends(any_engine: sa.Engine, clock: FrozenClock) -> None:
    ahead = FrozenClock(clock.now() + timedelta(days=1))
    taken(Leases(any_engine, ahead, "me"))

    assert Leases(any_engine, clock, "you").take("train", MINUTE)


def test_a_clock_that_is_behind_steals_no_living_lease(any_engine: sa.Engine, clock: FrozenClock) -> None:
    ahead = FrozenClock(clock.now() + MINUTE)
    taken(Leases(any_engine, ahead, "me"))

    assert not Leases(any_engine, clock, "you").take("train", MINUTE / 2)


class Ahead(SystemClock):
    """The clock of a machine that is an hour ahead."""

    def now(self) -> datetime:
        return super().now() + timedelta(hours=1)


@pytest.mark.postgres
def test_on_postgresql_the_clocks_of_machines_may_differ(postgres_engine: sa.Engine) -> None:
    mine, yours = Leases(postgres_engine, SystemClock(), "me"), Leases(postgres_engine, Ahead(), "you")
    lease = taken(mine)
    assert not yours.take("train", MINUTE)
    assert mine.renew(lease, MINUTE)
    mine.give(lease)

    later = taken(yours)
    assert not mine.take("train", MINUTE)
    assert yours.renew(later, MINUTE)
    assert not mine.take("train", MINUTE)


def test_a_long_name_of_a_holder_fits(any_engine: sa.Engine, clock: FrozenClock) -> None:
    assert Leases(any_engine, clock, "h" * 100).take("train", MINUTE)
