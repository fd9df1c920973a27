"""Lets searches in as long as they can be answered in time, and makes them cheaper before that ends."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foundation.clock import monotonic_s
from foundation.errors import Overloaded
from foundation.telemetry.metrics import REFUSED
from foundation.web.key_gate import ALGOLIA_SEARCHES
from foundation.web.problems import problem_response
from foundation.web.routes.paths import PathSet

_MEMORY = 0.05
"""Share of the newest measurement in a running mean."""

_GAP_MEMORY = 0.005
"""The same of times between answers. Answers leave a busy process in clumps, so the mean spans some seconds."""

_FIRST_GAP_S = 0.01
"""Between two answers of a busy service, before it has been measured."""

OPTIONAL = {"rerank": ("rerank",), "meaning": ("encode", "dense")}
"""What a search can do without, the cheapest loss first, with the parts that this saves."""

_SEARCHES = PathSet({"/v1/search", "/v1/rank", "/v1/context", "/console/search", "/rank/{model}"} | ALGOLIA_SEARCHES)


class FifoSemaphore:
    """Lets so many in at once, and the others in the order in which they came."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: deque[threading.Lock] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    def __enter__(self) -> None:
        """Wait for a turn."""
        mine = threading.Lock()
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()

    def __exit__(self, *_: object) -> None:
        """Hand the turn to the one that has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


class Admission:
    """Counts the searches inside, and learns how fast they leave and how long each part of one takes.

    Safe to use from many threads; only `turn` waits.

    Args:
        at_once: Searches computed at the same time; more would only take turns.
        max_queue_wait_s: Longest wait for a turn; a search that would wait longer is refused.
        now: Seconds of a clock that never goes back.
    """

    def __init__(self, at_once: int, max_queue_wait_s: float, now: Callable[[], float] = monotonic_s) -> None:
        self.now = now
        self._at_once = at_once
        self._max_queue_wait_s = max_queue_wait_s
        self._semaphore = FifoSemaphore(at_once)
        self._inside = 0
        self._gap_s = _FIRST_GAP_S
        self._busy_since_s: float | None = None
        self._parts_s: dict[str, float] = {}
        self._lock = threading.Lock()

    @property
    def inside(self) -> int:
        """Searches that wait for their turn or have it."""
        return self._inside

    @property
    def queue(self) -> float:
        """Searches that wait for each turn, 0 when nobody does."""
        return max(0.0, self._inside / self._at_once - 1.0)

    def expected_wait_s(self) -> float:
        """Return how long one more search would wait for its turn, by how fast searches left while others waited.

        The other work of the processor, such as reading and answering requests, is included.
        """
        return self._gap_s * max(0, self._inside + 1 - self._at_once)

    def enter(self) -> None:
        """Let one more search in; it must `leave`.

        Raises:
            Overloaded: It would wait too long.
        """
        with self._lock:
            wait_s = self.expected_wait_s()
            if wait_s > self._max_queue_wait_s:
                raise Overloaded(
                    f"searches wait {1000 * wait_s:.0f} ms for their turn, "
                    f"more than the {1000 * self._max_queue_wait_s:.0f} ms allowed; try again in a second"
                )
            self._inside += 1

    def leave(self) -> None:
        """Note that a search has been answered."""
        now_s = self.now()
        with self._lock:
            self._inside -= 1
            if self._busy_since_s is not None:
                self._gap_s += _GAP_MEMORY * (now_s - self._busy_since_s - self._gap_s)
            self._busy_since_s = now_s if self._inside >= self._at_once else None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it; the request's place in the queue ends with the turn."""
        try:
            with self._semaphore:
                yield
        finally:
            if place := _PLACE.get():
                place.close()

    def learn(self, seconds: Mapping[str, float]) -> None:
        """Take in how long the parts of a search took."""
        with self._lock:
            for part, took_s in seconds.items():
                known = self._parts_s.get(part, took_s)
                self._parts_s[part] = known + _MEMORY * (took_s - known)

    def stages_to_shed(self, left_s: float) -> tuple[str, ...]:
        """Return the stages that a search must leave out, so that it and those behind it end in time.

        Those behind it shall wait at most half of the longest wait, so that searches get plainer before any is
        refused. The cheapest loss of quality goes first: late interaction, then the meaning of the query.
        """
        skipped: list[str] = []
        parts_s = dict(self._parts_s)
        for name, parts in OPTIONAL.items():
            took_s = sum(parts_s.values())
            if took_s * (1.0 + self.queue) <= left_s and took_s * self.queue <= self._max_queue_wait_s / 2:
                break
            skipped.append(name)
            for part in parts:
                parts_s.pop(part, None)
        return tuple(skipped)


_PLACE: ContextVar[ExitStack | None] = ContextVar("place", default=None)
"""A request's place in the queue; closing it leaves the queue, and closing it again does nothing.

The request's thread and the server's never do so at the same time.
"""


class SearchGate:
    """ASGI middleware that refuses searches while too many wait. It stands behind the one that reads bodies."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with 503 and Retry-After."""
        if scope["type"] != "http" or scope["path"] not in _SEARCHES:
            await self._app(scope, receive, send)
            return
        try:
            self._admission.enter()
        except Overloaded as refusal:
            REFUSED.inc()
            await problem_response(refusal, scope["path"])(scope, receive, send)
            return
        with ExitStack() as place:
            place.callback(self._admission.leave)

            async def leave_and_send(message: Message) -> None:
                place.close()  # the reader of the answer may be slow
                await send(message)

            token = _PLACE.set(place)
            try:
                await self._app(scope, receive, leave_and_send)
            finally:
                _PLACE.reset(token)
