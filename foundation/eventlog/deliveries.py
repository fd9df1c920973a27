"""Appends sent to a broker: each ends when all of its records are acknowledged, or after a limit of our own."""

from __future__ import annotations

import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress

from foundation.clock import monotonic_s
from foundation.errors import Overloaded, RecordTooLarge, StoreAway


class BrokerDelivery:
    """One append; its future is done with the last acknowledgement."""

    def __init__(self, deliveries: Deliveries, count: int) -> None:
        self.done: Future[None] = Future()
        self.done.set_running_or_notify_cancel()  # what was sent cannot be called back
        self.began_s = monotonic_s()
        self._deliveries = deliveries
        self._left = count
        self._problem: BaseException | None = None
        self._lock = threading.Lock()

    def acknowledge(self, _metadata: object = None) -> None:
        """Note that a broker has one record more."""
        self._settle_one(None)

    def fail(self, problem: BaseException) -> None:
        """Note that a record was not taken."""
        self._settle_one(problem)

    def give_up(self, problem: BaseException) -> None:
        """Let nobody wait any longer; what was sent may arrive all the same."""
        with suppress(InvalidStateError):  # it has just ended
            self.done.set_exception(problem)

    def _settle_one(self, problem: BaseException | None) -> None:
        with self._lock:
            self._left -= 1
            self._problem = self._problem or problem
            if self._left > 0:
                return
        self._deliveries.forget(self)
        if isinstance(self._problem, RecordTooLarge):
            self.give_up(self._problem)
        elif self._problem is not None:
            self.give_up(StoreAway(f"Kafka did not take the records: {self._problem!r}; send them again"))
        else:
            with suppress(InvalidStateError):  # given up before it arrived
                self.done.set_result(None)


class Deliveries:
    """The appends under way, the oldest first. Safe to use from many threads.

    Args:
        limit_s: Age after which nobody waits for one any longer.
        max_records: Records that may be under way.
    """

    def __init__(self, limit_s: float, max_records: int) -> None:
        self._limit_s = limit_s
        self._max_records = max_records
        self._under_way: dict[BrokerDelivery, int] = {}
        self._records = 0
        self._lock = threading.Lock()

    def begin(self, count: int) -> BrokerDelivery:
        """Return the delivery of `count` records.

        Raises:
            Overloaded: Too many are under way.
        """
        delivery = BrokerDelivery(self, count)
        if not count:
            delivery.done.set_result(None)
            return delivery
        with self._lock:
            if self._records + count > self._max_records:
                raise Overloaded("too many records wait for Kafka; send again in a second")
            self._under_way[delivery] = count
            self._records += count
        return delivery

    def forget(self, delivery: BrokerDelivery) -> None:
        """Count a delivery no more."""
        with self._lock:
            self._records -= self._under_way.pop(delivery, 0)

    def oldest_s(self) -> float:
        """Return the age of the oldest delivery, 0 without one."""
        with self._lock:
            oldest = next(iter(self._under_way), None)
        return monotonic_s() - oldest.began_s if oldest else 0.0

    def expire(self) -> None:
        """Give up what is older than the limit; it stays under way, for the broker may have it still."""
        with self._lock:
            waiting = list(self._under_way)
        for delivery in waiting:
            if monotonic_s() - delivery.began_s < self._limit_s:
                return
            delivery.give_up(StoreAway("Kafka did not acknowledge the records in time; send them again"))

    def drop(self) -> None:
        """Forget everything under way: what sent it is gone."""
        with self._lock:
            lost, self._under_way, self._records = list(self._under_way), {}, 0
        for delivery in lost:
            delivery.give_up(StoreAway("the connection to Kafka was made anew; send the records again"))
