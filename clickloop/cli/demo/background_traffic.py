"""Simulated users who keep searching and clicking while something else is watched."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from foundation.errors import ClickloopError
from simulator.driver import Driver
from simulator.tally import Experience, Tally

_SEARCHES_AT_ONCE = 60
_STOP_LIMIT_S = 60.0
_COUNTS = ("searches", "clicks", "events_sent", "failed", "refused", "retried")


class BackgroundTraffic:
    """Runs a driver in a thread from entering to leaving the `with` block; its tally grows meanwhile."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self._problem: Exception | None = None
        self.tally = Tally()

    def __enter__(self) -> Self:
        """Let the users in."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the users finish what they do, and go."""
        self._stop.set()
        self._thread.join(_STOP_LIMIT_S)

    def check(self) -> None:
        """Raise what ended the traffic, if something did."""
        if self._problem:
            raise ClickloopError(f"the simulated users had to stop: {self._problem}") from self._problem

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self.tally = _add(self.tally, self._driver.run(searches=_SEARCHES_AT_ONCE))
        except Exception as problem:  # noqa: BLE001  raised again by `check` in the thread that watches
            self._problem = problem


def _add(one: Tally, other: Tally) -> Tally:
    experiences = dict(one.experiences)
    for version, more in other.experiences.items():
        experiences[version] = experiences.get(version, Experience()).plus(more)
    return Tally(**{name: getattr(one, name) + getattr(other, name) for name in _COUNTS}, experiences=experiences)
