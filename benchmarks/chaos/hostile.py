"""A hundred thousand requests of a visitor who means harm, and a neighbour who must not notice."""

from __future__ import annotations

import copy
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from benchmarks.chaos.outages import lag
from benchmarks.harness.fixtures import drain, index
from benchmarks.harness.load import shoot
from benchmarks.harness.report import Bar, at_most
from benchmarks.harness.server import Server, bench_settings
from benchmarks.ingest.fuzz import GOOD_BODIES
from clickloop.container import Container
from collector.join.evidence import evidence_digest
from foundation.clock import monotonic_s
from foundation.http_client import ServiceClient

REQUESTS = 100_000
QUICK_REQUESTS = 3_000
_NEIGHBOUR = "neighbour"
_ORIGIN = "https://shop.example"
_CLIENTS = 6
_VOLLEY_S = 15.0
_QUICK_VOLLEY_S = 1.5
_BODIES = 2000  # of a volley, sent again from the first on when all are sent
_ASKED = 10
_LAG_TIMEOUT_S = 60.0
_LOOK_S = 0.2

_SEARCHES: dict[str, Any] = {
    "/v1/search": {"query": "text", "user": "u", "session": "s", "k": 5, "surface": "page"},
    "/v1/context": {"query": "text", "user": "u", "session": "s", "k": 3, "surface": "context"},
}

_PIECES = (
    *("\u0390", "\u03b0", "\u0130", "\ufb03", "\ufdfa", "\u1e9e", "\u00df", "e\u0301\u0323\u0302", "\u0958"),
    *("\ud800", "\udfff", "\x00", "\x1b", "\u202e", "\ufeff", "\u200d", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
    *("a", " ", "\u3000", "\n", "'", '"', "\\", "<", "%", "\u4e2d", "\u0e33", "\U000e0041", "\uffff"),
)
"""Characters that grow when folded, that are half of one, that turn the line around, and plain ones."""

_LENGTHS = (0, 1, 2, 30, 255, 256, 700, 1000, 1999, 2000, 4096, 20_000)

Tell = Callable[[str], None]


def measure(documents: list[dict[str, Any]], queries: list[str], seed: int, quick: bool, tell: Tell) -> list[Bar]:
    """Return what a visitor with odd texts does to the collector, and to another collection."""
    chance = random.Random(seed)
    with bench_settings(allowed_origins=_ORIGIN) as settings, Server(settings) as server:
        container = Container(settings)
        index(server.remote, documents)
        neighbour = _Neighbour(server.url, documents, queries[:_ASKED])
        before = neighbour.rankings(), evidence_digest(container.engine, _NEIGHBOUR)
        neighbour.start()
        sent = _flood(server.url, chance, quick, tell)
        failed = neighbour.stop()
        began_s = monotonic_s()
        while lag(server.url) and monotonic_s() - began_s < _LAG_TIMEOUT_S:
            time.sleep(_LOOK_S)
        left = lag(server.url)
        after = neighbour.rankings(), evidence_digest(container.engine, _NEIGHBOUR)
        drain(container)
        container.log.close()
        container.engine.dispose()
    statuses = sorted(set(sent))
    crashes = sum(status >= 500 and status != 503 for status in sent)
    said = f"hostile visitor, {len(sent)} requests answered {', '.join(map(str, statuses))}"
    return [
        at_most("chaos.hostile_lag", f"{said}: records not folded a minute later", left, 0),
        at_most("chaos.hostile_crashes", f"{said}: of them server errors or no answer", crashes + sent.count(0), 0),
        at_most(
            "chaos.hostile_neighbour",
            f"{said}: another collection's changed rankings and evidence, failed searches",
            failed + int(before != after),
            0,
        ),
    ]


def _flood(url: str, chance: random.Random, quick: bool, tell: Tell) -> list[int]:
    """Send odd bodies to every route in turn; return the statuses of all answers."""
    wanted, seconds = (QUICK_REQUESTS, _QUICK_VOLLEY_S) if quick else (REQUESTS, _VOLLEY_S)
    statuses: list[int] = []
    while len(statuses) < wanted:
        for path, good in (_SEARCHES | GOOD_BODIES).items():
            bodies = [odd(good, chance) for _ in range(_BODIES)]
            volley = shoot(url, path, bodies, clients=_CLIENTS, seconds=seconds, headers={"Origin": _ORIGIN})
            statuses += [shot.status for shot in volley.shots]
        tell(f"{len(statuses)} requests")
    return statuses


def odd(good: Any, chance: random.Random) -> Any:
    """Return a body in which one to three texts are odd ones."""
    body = copy.deepcopy(good)
    for _ in range(chance.randint(1, 3)):
        _put_odd(body, chance)
    return body


def _put_odd(value: Any, chance: random.Random) -> None:
    """Replace one text somewhere inside a list or an object."""
    places = list(value) if isinstance(value, dict) else list(range(len(value)))
    if not places:
        return
    place = chance.choice(places)
    if isinstance(value[place], dict | list):
        _put_odd(value[place], chance)
    else:
        value[place] = _odd_text(chance)


def _odd_text(chance: random.Random) -> str:
    pieces = chance.choices(_PIECES, k=chance.choice((1, 1, 2, 5)))
    length = chance.choice(_LENGTHS)
    return "".join(pieces[turn % len(pieces)] for turn in range(length))


class _Neighbour:
    """Another collection of the same service, searched all the time and clicked in before the flood."""

    def __init__(self, url: str, documents: list[dict[str, Any]], queries: list[str]) -> None:
        self._url = url
        self._queries = queries
        self._over = threading.Event()
        self._failed = 0
        self._thread = threading.Thread(target=self._search_on, daemon=True)
        remote = ServiceClient(url, _NEIGHBOUR)
        index(remote, documents)
        remote.close()

    def start(self) -> None:
        """Begin to search."""
        self._thread.start()

    def stop(self) -> int:
        """End; return how many searches failed."""
        self._over.set()
        self._thread.join()
        return self._failed

    def rankings(self) -> list[list[tuple[str, float]]]:
        """Return what every query finds, with scores."""
        with self._client() as client:
            answers = [self._ask(client, query).raise_for_status().json() for query in self._queries]
        return [[(hit["id"], hit["score"]) for hit in answer["hits"]] for answer in answers]

    def _search_on(self) -> None:
        with self._client() as client:
            while not self._over.wait(_LOOK_S):
                for query in self._queries:
                    self._failed += not self._ask(client, query).is_success

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self._url, timeout=30, headers={"Clickloop-Collection": _NEIGHBOUR})

    def _ask(self, client: httpx.Client, query: str) -> httpx.Response:
        return client.post("/v1/search", json={"query": query, "log": False})
