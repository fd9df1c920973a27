"""Logs what was shown: durable before the answer leaves, in the disk flush it shares with others.

A log that does not take an impression in time holds up no answer: the answer says that it was not logged.
"""

from __future__ import annotations

from concurrent.futures import Future

from foundation.contracts import Impression
from foundation.errors import NotReady, Overloaded
from foundation.eventlog.protocol import EventLog, await_append
from foundation.eventlog.records import impression_record
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import UNLOGGED

_log = get_log("impressions")


class Publication:
    """An impression on its way.

    Args:
        done: The append, None where the log refused it.
    """

    def __init__(self, done: Future[None] | None) -> None:
        self._done = done

    def arrives(self, limit_s: float) -> bool:
        """Wait at most `limit_s` and return whether the impression is durable.

        One that is late is withdrawn. What the store itself is writing at that moment can still arrive; then it counts
        as what it is: a list that was shown.
        """
        try:
            if self._done is not None:
                await_append(self._done, limit_s)
                return True
        except (NotReady, Overloaded) as problem:
            _log.debug("impression not logged", because=problem.detail)
        UNLOGGED.inc()
        return False


class ImpressionLog:
    """Publishes impressions to the event log.

    Args:
        log: Where the collector reads them.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log

    @property
    def away(self) -> bool:
        """Whether the log takes nothing now, as far as is known."""
        return self._log.away

    def publish(self, impression: Impression) -> Publication:
        """Append an impression; it is durable after some milliseconds. Concurrent calls share one flush."""
        try:
            return Publication(self._log.append([impression_record(impression)]))
        except (NotReady, Overloaded):
            return Publication(None)  # counted, and said in the answer, when it does not arrive
