"""Appends of many threads, written by one: those that wait share a transaction, and nobody waits for ever.

Small appends go before large ones, so that an import does not hold up the impression of a search.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from foundation.clock import monotonic_s
from foundation.database.outages import Outage
from foundation.errors import NotReady, Overloaded, StoreAway

STALLED_S = 0.5
"""Age of a write under way after which the store counts as away; large ones may take longer."""

_RECORDS_A_SECOND = 5000
"""A large write goes on at least this fast, or is stalled."""

T = TypeVar("T")

_MAX_WAITING = 4096
_MAX_APPENDS = 256
_MAX_RECORDS = 5000
_SMALL = 100
_LOOK_EVERY_S = 0.5
_CLOSE_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True, order=True)
class _Append(Generic[T]):
    """Records that wait to be written, and who waits for them. `large` and `number` say whose turn it is."""

    large: bool
    number: int
    records: Sequence[T] = field(compare=False)
    done: Future[None] = field(compare=False, default_factory=Future)

    def settle(self, problem: BaseException | None) -> None:
        """Tell whoever still waits how it ended."""
        with suppress(InvalidStateError):  # the log was closed before the write ended
            if not self.done.done() and (self.done.running() or self.done.set_running_or_notify_cancel()):
                self.done.set_exception(problem) if problem else self.done.set_result(None)


class GroupCommit(Generic[T]):
    """One thread that writes groups of appends.

    Args:
        write: Writes one group in one transaction. Once its turn has come it calls its argument for the records to
            write: those that nobody has withdrawn by then.
        outage: Whether the store is away; `write` begins and ends it, and a stall begins it here.
    """

    def __init__(self, write: Callable[[Callable[[], list[T]]], None], outage: Outage) -> None:
        self._write = write
        self._outage = outage
        self._waiting: queue.PriorityQueue[tuple[bool, _Append[T] | None]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._group: Sequence[_Append[T]] = ()
        self._stalled_at_s = float("inf")
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._write_groups, name="eventlog-writer", daemon=True)
        self._thread.start()

    @property
    def outage(self) -> Outage:
        """Whether the last write failed, or the one under way is stalled."""
        if monotonic_s() > self._stalled_at_s:
            self._outage.begin(StoreAway("a write does not end; send the request again"))
        return self._outage

    def append(self, records: Sequence[T]) -> Future[None]:
        """Queue `records`; the future is done when they are written. Never blocks.

        Raises:
            StoreAway: Writes fail or stall now.
            Overloaded: Too many appends wait.
            NotReady: It is closed.
        """
        if (outage := self.outage).on:
            raise outage.refusal()
        append = _Append(len(records) > _SMALL, next(self._numbers), records)
        with self._closing:  # nothing may come behind the end of the queue, where nobody would write or fail it
            if self._closed:
                raise NotReady("the event log is closed; the service is stopping")
            if self._waiting.qsize() >= _MAX_WAITING:
                raise Overloaded("the event log has a full queue; send again in a second")
            self._waiting.put((False, append))
        return append.done

    def close(self) -> None:
        """Write what is queued, and fail what is not written within 10 s. Calling it again does nothing."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._waiting.put((True, None))
        self._thread.join(_CLOSE_LIMIT_S)
        closed = NotReady("the event log was closed before this was written; send it again")
        for append in (*self._group, *self._drain()):
            append.settle(closed)

    def _write_groups(self) -> None:
        while True:
            try:
                _, first = self._waiting.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                if self._outage.on:
                    self._write_group([])  # nothing is appended while the store is away: is it back?
                continue
            if first is None:
                return
            self._write_group([first, *self._gather(len(first.records))])

    def _gather(self, count: int) -> list[_Append[T]]:
        """Return what else waits, as far as it goes into a group that has `count` records."""
        group: list[_Append[T]] = []
        while count < _MAX_RECORDS and len(group) < _MAX_APPENDS - 1:
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                break
            if item[1] is None:
                self._waiting.put(item)  # the end comes after this group
                break
            group.append(item[1])
            count += len(item[1].records)
        return group

    def _write_group(self, group: list[_Append[T]]) -> None:
        self._group = group
        count = sum(len(append.records) for append in group)
        self._stalled_at_s = monotonic_s() + STALLED_S + count / _RECORDS_A_SECOND
        problem: Exception | None = None
        taken: list[_Append[T]] = []

        def take() -> list[T]:
            taken.extend(append for append in group if append.done.set_running_or_notify_cancel())
            return [record for append in taken for record in append.records]

        try:
            self._write(take)
        except Exception as raised:  # noqa: BLE001  handed to every caller that waits, none is lost
            problem = raised
        self._stalled_at_s = float("inf")
        for append in taken or group:
            append.settle(problem)
        self._group = ()

    def _drain(self) -> list[_Append[T]]:
        waiting: list[_Append[T]] = []
        with suppress(queue.Empty):
            while True:
                _, append = self._waiting.get_nowait()
                waiting += [append] if append else []
        return waiting
