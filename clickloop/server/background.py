"""What goes on beside the answering of requests: events become evidence, and training keeps its schedule."""

from __future__ import annotations

import threading

from clickloop.container import Container
from foundation.telemetry.logs import get_log

PAGE_CACHE_MIB = 64
"""A batch of feedback touches some 5,000 pages; what stays in memory is not read from the file again."""

_STOP_LIMIT_S = 10.0
_log = get_log("background")


class Background:
    """Collects and retrains in threads of this process, until `stopped` is set.

    The caller closes the container. When the collector breaks down, `failed` is true and `stopped` is set.
    """

    def __init__(self, container: Container, stopped: threading.Event) -> None:
        self.stopped = stopped
        self.failed = False
        self._workers = container.make_workers()
        self._schedule = container.make_schedule(self._workers)
        self._consumer = container.make_consumer()
        retention, webhooks = container.make_retention(), container.make_webhook_sender()
        self._threads = [
            threading.Thread(target=self._collect, name="consumer", daemon=True),
            threading.Thread(target=retention.run, args=(self.stopped,), name="retention", daemon=True),
            threading.Thread(target=webhooks.run, args=(self.stopped,), name="webhooks", daemon=True),
        ]

    def start(self) -> None:
        """Begin; returns at once."""
        for thread in self._threads:
            thread.start()
        self._schedule.start()

    def stop(self) -> None:
        """End what is under way and wait for it."""
        self.stopped.set()
        self._schedule.stop()
        self._workers.stop()
        for thread in self._threads:
            thread.join(_STOP_LIMIT_S)

    def _collect(self) -> None:
        try:
            self._consumer.run(self.stopped)
        except BaseException:  # told, and raised again: the supervisor of this process must start another
            _log.exception("collector_failed")
            self.failed = True
            self.stopped.set()
            raise
