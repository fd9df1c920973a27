"""Events that wait until the service acknowledges them: bounded, oldest first, for any thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice

from foundation.clock import monotonic_s
from foundation.errors import FieldFault

_REFUSALS_KEPT = 100


@dataclass(frozen=True, slots=True)
class Event:
    """One event, ready to be sent; every attempt sends the same bytes, so a repeat is recognised by its id."""

    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event, as JSON, that the service did not take, and what was wrong in the service's words."""

    event: str
    faults: tuple[FieldFault, ...]

    def __str__(self) -> str:
        return f"{self.event}: " + "; ".join(f"{fault.field} {fault.reason}" for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a client's events.

    Attributes:
        accepted: On the service's disk.
        refused: Not taken by the service, and never sent again.
        overflowed: Never queued, because too many waited.
        waiting: Not acknowledged yet.
    """

    accepted: int = 0
    refused: int = 0
    overflowed: int = 0
    waiting: int = 0


class Outbox:
    """The queue of one client; `capacity` is the most events that wait at once."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._waiting: dict[str, Event] = {}
        self._put_off: dict[str, float] = {}
        self._accepted = 0
        self._refused = 0
        self._overflowed = 0
        self._refusals: deque[Refusal] = deque(maxlen=_REFUSALS_KEPT)

    def put(self, event: Event) -> int:
        """Queue an event and return how many may be sent; 0 when there is no room and it was counted instead."""
        with self._lock:
            if len(self._waiting) >= self._capacity and event.id not in self._waiting:
                self._overflowed += 1
                return 0
            self._waiting[event.id] = event
            return max(1, len(self._waiting) - len(self._put_off))

    def head(self, limit: int) -> list[Event]:
        """Return the oldest events that may be sent, which stay in the queue until they are settled."""
        with self._lock:
            self._call_back()
            ready = (event for event in self._waiting.values() if event.id not in self._put_off)
            return list(islice(ready, limit))

    def ready(self) -> int:
        """Return how many events may be sent."""
        with self._lock:
            self._call_back()
            return len(self._waiting) - len(self._put_off)

    def put_off(self, waits_s: Mapping[str, float]) -> None:
        """Hold events back in the queue, each by its id for some seconds."""
        now_s = monotonic_s()
        with self._lock:
            self._put_off.update({name: now_s + wait_s for name, wait_s in waits_s.items()})

    def due_in_s(self) -> float | None:
        """Return in how many seconds the first event that was put off may be sent; None when there is none."""
        with self._lock:
            return min(self._put_off.values()) - monotonic_s() if self._put_off else None

    def settle(self, sent: Collection[Event], refusals: Mapping[str, Refusal]) -> None:
        """Take events out after the service judged them; `refusals` by the id of each that was refused."""
        with self._lock:
            for event in sent:
                self._waiting.pop(event.id, None)
            self._accepted += len(sent) - len(refusals)
            self._refused += len(refusals)
            self._refusals.extend(refusals.values())

    def take_refusals(self) -> list[Refusal]:
        """Return the refusals since the last call, at most the latest 100."""
        with self._lock:
            taken = list(self._refusals)
            self._refusals.clear()
            return taken

    def holds(self, ids: Collection[str]) -> bool:
        """Return whether one of the events still waits."""
        with self._lock:
            return not self._waiting.keys().isdisjoint(ids)

    def ids(self) -> frozenset[str]:
        """Return the ids of all that wait."""
        with self._lock:
            return frozenset(self._waiting)

    def counts(self) -> Counts:
        """Return what became of the events so far."""
        with self._lock:
            return Counts(self._accepted, self._refused, self._overflowed, len(self._waiting))

    def _call_back(self) -> None:
        now_s = monotonic_s()
        self._put_off = {name: due_s for name, due_s in self._put_off.items() if due_s > now_s}
