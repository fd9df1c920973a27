"""Injected time. Nothing else in clickloop asks the system what time it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

WEEK_S = 7 * 24 * 3600


def period_of(at: datetime) -> int:
    """Return the whole weeks between 1970-01-01 (UTC) and `at`."""
    return int(at.timestamp() // WEEK_S)


def start_of_period(period: int) -> datetime:
    """Return the moment in UTC at which a week that `period_of` names begins."""
    return datetime.fromtimestamp(period * WEEK_S, UTC)


class Clock(Protocol):
    """Where a part gets the time of day."""

    def now(self) -> datetime:
        """Return the present moment, timezone-aware, in UTC."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's UTC time."""
        return datetime.now(UTC)  # noqa: TID251  the one place that asks the machine


class AcceleratedClock:
    """A clock that runs `speed` times as fast as the machine's since `origin`.

    Two processes with the same origin and speed agree on the time, so a whole service can live
    through a month in minutes. It never jumps: only its rate differs from the system's.

    Args:
        origin: The moment at which this clock and the machine's agree.
        speed: Seconds of this clock per second of the machine's, above 0.
    """

    def __init__(self, origin: datetime, speed: float) -> None:
        self._origin = origin
        self._speed = speed

    def now(self) -> datetime:
        """Return the accelerated UTC time."""
        return self._origin + (SystemClock().now() - self._origin) * self._speed


class FrozenClock:
    """A clock that stands still until it is moved; for tests."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """Return the moment the clock was last set to."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move the clock forward by `by`."""
        self._at += by


def monotonic_s() -> float:
    """Return seconds from an arbitrary start, for measuring durations only."""
    return time.perf_counter()


def thread_s() -> float:
    """Return seconds of processor that this thread has used; what else the machine does is no part of them."""
    return time.thread_time()


def make_clock(speed: float = 1.0, origin: datetime | None = None) -> Clock:
    """Return the system clock, or an accelerated one when `speed` is not 1."""
    if speed == 1.0:
        return SystemClock()
    return AcceleratedClock(origin or SystemClock().now(), speed)
