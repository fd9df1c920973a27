"""Rounds of work that a thread does for ever: an error in one of them does not end the thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from foundation.telemetry.logs import get_log

_log = get_log("rounds")


class Rounds:
    """Guards each round of a thread's work. An error is logged once, with its traceback, until a round goes well.

    Args:
        work: What the log calls the work.
    """

    def __init__(self, work: str) -> None:
        self._work = work
        self._failing = False

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Do one round in the block; the next one can come even if it raises."""
        try:
            yield
        except Exception:  # noqa: BLE001  logged; a thread that ends would leave its work undone for ever
            if not self._failing:
                _log.exception("round failed, will be tried again", work=self._work)
            self._failing = True
        else:
            self._failing = False
