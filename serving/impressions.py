"""Logs what was shown: durable before the answer leaves, in the disk flush it shares with others."""

from __future__ import annotations

from concurrent.futures import Future

from foundation.contracts import Impression
from foundation.eventlog import EventLog
from foundation.records import impression_record


class ImpressionLog:
    """Publishes impressions to the event log.

    Args:
        log: Where the collector reads them.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def publish(self, impression: Impression) -> Future[None]:
        """Append an impression; the future is done when it is durable, after some milliseconds.

        Concurrent calls share one flush. Overloaded when too many wait.
        """
        return self._log.append([impression_record(impression)])
