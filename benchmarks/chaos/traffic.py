"""People at a steady pace while something is broken: what they ask, what they report, and what they get."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from benchmarks.harness.visitors import Acknowledged, make_events
from foundation.clock import monotonic_s

BUDGET_S = 0.5
"""What a search may take unless its request says otherwise."""

_SEARCHERS = 3
_SEARCHES_A_SECOND = 5.0
_REPORTS_EVERY_S = 0.2
_MAX_REPORTED = 100
_TIMEOUT_S = 10.0
_ANSWERED = 200

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TimedSearch:
    """One search as its client saw it.

    Attributes:
        at_s: When it was sent, by the monotonic clock.
        took_s: Until its answer was there.
        status: HTTP status, 0 when none came within ten seconds.
        logged: Whether the answer says that it is durable.
    """

    at_s: float
    took_s: float
    status: int
    logged: bool

    @property
    def in_time(self) -> bool:
        """Whether it was answered within the budget."""
        return self.status == _ANSWERED and self.took_s <= BUDGET_S


@dataclass(frozen=True, slots=True)
class Write:
    """One request that reports events, as its client saw it.

    Attributes:
        retry_after: Whether the answer says when to come again.
    """

    at_s: float
    took_s: float
    status: int
    retry_after: bool


class SteadyTraffic:
    """Three clients that search five times a second each, and one that reports what was clicked.

    Events are sent again until they are acknowledged. Every search is another user's.

    Args:
        url: Address of the service.
        queries: Texts to ask.
        seed: Decides who asks and clicks what.

    Attributes:
        searches: What was asked so far.
        writes: What was reported so far.
        memory: What the service acknowledged.
        reporting: Cleared while no events may be sent.
    """

    def __init__(self, url: str, queries: list[str], seed: int) -> None:
        self._url = url
        self._queries = queries
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._waiting: deque[Json] = deque()
        self.searches: list[TimedSearch] = []
        self.writes: list[Write] = []
        self.memory = Acknowledged()
        self.reporting = threading.Event()
        self.reporting.set()
        self._searchers = [
            threading.Thread(target=self._search, args=(number, np.random.default_rng([seed, number])), daemon=True)
            for number in range(_SEARCHERS)
        ]
        self._reporter = threading.Thread(target=self._report, daemon=True)
        for thread in (*self._searchers, self._reporter):
            thread.start()

    @property
    def waiting(self) -> int:
        """How many events are not acknowledged yet."""
        return len(self._waiting)

    def stop(self) -> None:
        """End the searches, and wait until every event is acknowledged."""
        self._stop.set()
        for thread in self._searchers:
            thread.join()
        self._ended.set()
        self._reporter.join()

    def _search(self, number: int, random: np.random.Generator) -> None:
        turn_s = 1 / _SEARCHES_A_SECOND
        with httpx.Client(base_url=self._url, timeout=_TIMEOUT_S) as client:
            visit = 0
            while not self._stop.wait(float(random.uniform(0.5, 1.5)) * turn_s):
                visit += 1
                query = self._queries[int(random.integers(len(self._queries)))]
                self._visit(client, query, f"person-{number}-{visit}", random)

    def _visit(self, client: httpx.Client, query: str, user: str, random: np.random.Generator) -> None:
        at_s = monotonic_s()
        try:
            response = client.post("/v1/search", json={"query": query, "user": user})
        except httpx.TransportError:
            self.searches.append(TimedSearch(at_s, monotonic_s() - at_s, 0, logged=False))
            return
        answer: Json = response.json() if response.is_success else {}
        logged = bool(answer) and bool(answer.get("logged", True))
        self.searches.append(TimedSearch(at_s, monotonic_s() - at_s, response.status_code, logged))
        if logged:
            self.memory.searches[answer["query_id"]] = answer["version"]
            events = make_events(answer, user, random)
            self.memory.sent |= {event["id"] for event in events}
            self._waiting.extend(events)

    def _report(self) -> None:
        with httpx.Client(base_url=self._url, timeout=_TIMEOUT_S) as client:
            while self._waiting or not self._ended.is_set():
                time.sleep(_REPORTS_EVERY_S)
                self.reporting.wait()
                if batch := [self._waiting[place] for place in range(min(len(self._waiting), _MAX_REPORTED))]:
                    self._send(client, batch)

    def _send(self, client: httpx.Client, batch: list[Json]) -> None:
        at_s = monotonic_s()
        try:
            response = client.post("/v1/events", json=batch)
        except httpx.TransportError:
            self.writes.append(Write(at_s, monotonic_s() - at_s, 0, retry_after=False))
            self.memory.retries += 1
            return
        told = "retry-after" in response.headers
        self.writes.append(Write(at_s, monotonic_s() - at_s, response.status_code, told))
        if not response.is_success:
            self.memory.retries += 1
            return
        taken = {verdict["id"] for verdict in response.json()["verdicts"] if verdict["status"] == "accepted"}
        self.memory.events |= taken
        self.memory.clicks |= {(one["query_id"], one["document_id"]) for one in batch if one["type"] == "click"}
        for _ in batch:
            self._waiting.popleft()
