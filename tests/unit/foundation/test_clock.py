"""Time as parts see it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from foundation.clock import AcceleratedClock, FrozenClock, SystemClock, make_clock, monotonic_s

ORIGIN = datetime(2026, 1, 5, tzinfo=UTC)


def test_the_system_clock_is_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_a_frozen_clock_moves_only_when_told() -> None:
    clock = FrozenClock(ORIGIN)
    assert clock.now() == clock.now() == ORIGIN
    clock.advance(timedelta(hours=1))
    assert clock.now() == ORIGIN + timedelta(hours=1)


def test_accelerated_clocks_of_one_origin_agree() -> None:
    origin = SystemClock().now() - timedelta(seconds=10)
    first, second = AcceleratedClock(origin, 3600).now(), AcceleratedClock(origin, 3600).now()
    assert timedelta(hours=10) <= first - origin < timedelta(hours=11)
    assert timedelta(0) <= second - first < timedelta(hours=1)


def test_a_clock_is_accelerated_only_when_asked() -> None:
    assert isinstance(make_clock(), SystemClock)
    assert isinstance(make_clock(60.0, ORIGIN), AcceleratedClock)
    assert abs(make_clock(60.0).now() - SystemClock().now()) < timedelta(minutes=1)


def test_durations_do_not_go_backwards() -> None:
    assert monotonic_s() <= monotonic_s()
