"""How far a simulation goes: hands out visit numbers until its goal is reached."""

from __future__ import annotations

import threading
from collections.abc import Callable

from foundation.errors import ClickloopError, InvalidRequest, Overloaded
from simulator.tally import Tally

MAX_FAILURES_IN_A_ROW = 20
MAX_SEARCHES_PER_CLICK = 100


class Goal:
    """So many accepted clicks or so many visits, counted from several threads.

    Args:
        first: Number of the first visit.

    Raises:
        InvalidRequest: Not exactly one goal is given, or it is below 1.
    """

    def __init__(self, clicks: int | None, searches: int | None, first: int) -> None:
        given = [goal for goal in (clicks, searches) if goal is not None]
        if len(given) != 1 or given[0] < 1:
            raise InvalidRequest(f"give clicks or searches, one of them, at least 1; not {clicks} and {searches}")
        self._clicks = clicks
        self._searches = searches if searches is not None else MAX_SEARCHES_PER_CLICK * given[0]
        self._lock = threading.Lock()
        self._first = first
        self._issued = 0
        self._failures = 0
        self._stopped = False

    @property
    def next_number(self) -> int:
        """The number after the last one handed out."""
        return self._first + self._issued

    def stop(self) -> None:
        """Hand out no further number."""
        self._stopped = True

    def note(self, failed: bool) -> None:
        """Take note of how a visit ended.

        Raises:
            Overloaded: The last twenty visits all failed.
        """
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            if self._failures >= MAX_FAILURES_IN_A_ROW:
                raise Overloaded(f"the last {self._failures} visits all failed; look at the service's log")

    def take(self, read: Callable[[], Tally]) -> int | None:
        """Return the number of the next visit, None when the goal is reached.

        Raises:
            ClickloopError: A hundred times as many searches as clicks wanted, and still not enough.
        """
        with self._lock:
            if self._stopped or (self._clicks is not None and read().clicks >= self._clicks):
                return None
            if self._issued >= self._searches:
                if self._clicks is not None:
                    raise _too_few(read(), self._clicks)
                return None
            self._issued += 1
            return self.next_number - 1


def _too_few(tally: Tally, wanted: int) -> ClickloopError:
    return ClickloopError(
        f"{tally.searches} searches brought {tally.clicks} clicks, far from {wanted}: "
        "are the documents loaded, and does the service accept events?"
    )
