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


class ImpressionLog:
    """Publishes impressions to the event log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    @property
    def away(self) -> bool:
        """Whether the log takes nothing now, as far as is known."""
        return self._log.away

    def publish(self, impression: Impression) -> Future[None] | None:
        """Begin to append an impression, which takes some milliseconds. Concurrent calls share one flush.

        Returns:
            What `arrives` waits for; None where the log refuses it.
        """
        try:
            return self._log.append([impression_record(impression)])
        except (NotReady, Overloaded):
            return None

    def arrives(self, append: Future[None] | None, limit_s: float) -> bool:
        """Wait at most `limit_s` for what `publish` began, and return whether the impression is durable.

        A late one is withdrawn. The store may be writing it at that moment, and it can still arrive; then it
        counts as what it is: a list that was shown.
        """
        try:
            if append is not None:
                await_append(append, limit_s)
                return True
        except (NotReady, Overloaded) as problem:
            _log.debug("impression not logged", because=problem.detail)
        UNLOGGED.inc()
        return False
