"""Clients that never give an event up: they search, report what they clicked, and send it again until acknowledged."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from foundation.http_client import ServiceClient
from foundation.retries import RetryPolicy

_RETRY_S = 0.05
_POLICY = RetryPolicy(
    attempts=sys.maxsize,
    first_pause_s=_RETRY_S,
    max_pause_s=_RETRY_S,
    max_retry_after_s=0.0,
    jitter=0.0,
    statuses=frozenset(range(300, 600)),
)
"""Without end, whatever the service says: what was reported must be acknowledged in the end."""
_TIMEOUT_S = 10.0
_AGAIN_SHARE = 0.2

Json = dict[str, Any]


@dataclass(slots=True)
class Acknowledged:
    """What a service said it had taken, as its clients remember it.

    Attributes:
        searches: Version by query id of every answer that came.
        sent: Ids of all events, acknowledged or not.
        events: Ids of the events that were accepted.
        clicks: Pairs of query id and document id of the clicks among them.
        retries: Requests without an answer, which were sent again.
    """

    searches: dict[str, str] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    clicks: set[tuple[str, str]] = field(default_factory=set)
    retries: int = 0

    @classmethod
    def of(cls, parts: Iterable[Acknowledged]) -> Acknowledged:
        """Return what several clients remember, together."""
        total = cls()
        for part in parts:
            total.searches |= part.searches
            total.sent |= part.sent
            total.events |= part.events
            total.clicks |= part.clicks
            total.retries += part.retries
        return total


class Visitors:
    """Clients at work in threads of their own, each with its own connection.

    Every visit is another user's, so that no cap of the service leaves one uncounted.

    Args:
        url: Address of the service.
        queries: Texts to ask, in turn.
        seed: Decides who clicks what.
    """

    def __init__(self, url: str, queries: list[str], seed: int, clients: int = 4) -> None:
        self._url = url
        self._queries = queries
        self._stop = threading.Event()
        self._memories = [Acknowledged() for _ in range(clients)]
        self._threads = [
            threading.Thread(target=self._work, args=(number, np.random.default_rng([seed, number])), daemon=True)
            for number in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> Acknowledged:
        """Let every visit end with its events acknowledged; return what all remember."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return Acknowledged.of(self._memories)

    def _work(self, number: int, random: np.random.Generator) -> None:
        memory = self._memories[number]
        with closing(ServiceClient(self._url, timeout_s=_TIMEOUT_S)) as client:
            visit = 0
            while not self._stop.is_set():
                visit += 1
                self._visit(client, memory, f"visitor-{number}-{visit}", random)

    def _visit(self, client: ServiceClient, memory: Acknowledged, user: str, random: np.random.Generator) -> None:
        query = self._queries[int(random.integers(len(self._queries)))]
        answer = self._insist(client, memory, "/v1/search", {"query": query, "user": user})
        memory.searches[answer["query_id"]] = answer["version"]
        events = make_events(answer, user, random)
        if not events:
            return
        memory.sent |= {event["id"] for event in events}
        self._report(client, memory, events)
        if random.random() < _AGAIN_SHARE:
            self._report(client, memory, events)

    def _report(self, client: ServiceClient, memory: Acknowledged, events: list[Json]) -> None:
        verdicts = self._insist(client, memory, "/v1/events", events)["verdicts"]
        memory.events |= {verdict["id"] for verdict in verdicts if verdict["status"] == "accepted"}
        memory.clicks |= {(event["query_id"], event["document_id"]) for event in events if event["type"] == "click"}

    def _insist(self, client: ServiceClient, memory: Acknowledged, path: str, body: Any) -> Json:
        """Send one request, the same bytes again and again, until it is answered."""

        def count(_reason: str, _pause_s: float) -> None:
            memory.retries += 1

        answer: Json = replace(_POLICY, tell=count).ask(partial(client.post, path, body))
        return answer


def make_events(answer: Json, user: str, random: np.random.Generator) -> list[Json]:
    """Return one to three events about a search's hits, with ids of the client's own."""
    hits = answer["hits"]
    if not hits:
        return []
    chosen = random.choice(len(hits), size=min(len(hits), int(random.integers(1, 3))), replace=False).tolist()
    about = {"query_id": answer["query_id"], "user": user}
    clicks = [
        about | {"id": f"{user}-click-{place}", "type": "click", "document_id": hits[place]["id"]} for place in chosen
    ]
    seconds = round(float(random.lognormal(3, 1)), 1)
    dwell = clicks[0] | {"id": f"{user}-dwell", "type": "dwell", "value": seconds}
    return [*clicks, dwell]
