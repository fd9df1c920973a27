"""How far the collector is behind, seen from a process that answers: it may run elsewhere, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable

from foundation.clock import monotonic_s
from foundation.errors import Overloaded, StoreAway
from foundation.eventlog.protocol import Subscription
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import LAG

STANDS_AFTER_S = 10.0
"""Records wait, and none is folded: after this the collector is taken for stopped."""

_MEASURE_EVERY_S = 2.0
_TOLD_FOR_S = 600.0
_STOP_LIMIT_S = 5.0
_log = get_log("lag")


class LagWatch:
    """Measures every two seconds what waits and what is committed, in a thread of its own.

    Args:
        subscribe: Returns a place in the log that only reads.
        now_s: Seconds of a clock that never goes back.
    """

    def __init__(self, subscribe: Callable[[], Subscription], now_s: Callable[[], float] = monotonic_s) -> None:
        self._subscribe = subscribe
        self._now_s = now_s
        self._subscription: Subscription | None = None
        self._waiting = 0
        self._committed = 0
        self._moved_at_s = now_s()
        self._anew_at_s = float("-inf")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="lag", daemon=True)

    def start(self) -> None:
        """Begin to measure."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(_STOP_LIMIT_S)

    def measure(self) -> None:
        """Read once what waits and what is committed.

        Raises:
            StoreAway: The log or the database does not answer.
        """
        if self._subscription is None:
            self._subscription = self._subscribe()
        committed, waiting = self._subscription.progress(), self._subscription.lag()
        now_s = self._now_s()
        if committed != self._committed or not waiting:
            self._moved_at_s = now_s
        if committed < self._committed:
            self._anew_at_s = now_s
        self._committed, self._waiting = committed, waiting
        LAG.set(waiting)

    def problems(self) -> list[str]:
        """Return that the collector stands, or that the log was lost in the last ten minutes, as sentences."""
        now_s = self._now_s()
        found = []
        stands_s = now_s - self._moved_at_s
        if self._waiting and stands_s > STANDS_AFTER_S:
            found.append(f"the collector folds nothing: {self._waiting} records have waited for {stands_s:.0f} s")
        since_s = now_s - self._anew_at_s
        if since_s < _TOLD_FOR_S:
            found.append(f"the event log began anew {since_s:.0f} s ago: what it held and nobody had read is lost")
        return found

    def _repeat(self) -> None:
        while not self._stop.wait(_MEASURE_EVERY_S):
            try:
                self.measure()
            except StoreAway:
                continue  # the store itself reports it once; what waits is not known until it is back
            except Overloaded as busy:
                _log.warning("what waits is read later", because=busy.detail)
            except Exception:  # noqa: BLE001  a watch that ends would say for ever that nothing waits
                _log.exception("what waits cannot be read")
