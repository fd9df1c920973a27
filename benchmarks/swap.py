"""Promotes and rolls back under twenty concurrent clients, and looks at every answer they got."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from benchmarks.harness.fixtures import add_version, get_collection, index, is_whole
from benchmarks.harness.report import Findings, at_most
from benchmarks.harness.server import Server, bench_settings
from clickloop.container import Container
from foundation.clock import monotonic_s
from foundation.contracts import DEFAULT_COLLECTION, Manifest
from foundation.settings import Settings

CLIENTS = 20
MOVES = 20
QUICK_MOVES = 6
_BETWEEN_S = 1.5
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Answered:
    """One search as its client saw it.

    Attributes:
        began_s: When it was sent, in seconds of the monotonic clock.
        ended_s: When its answer came.
        version: Who ranked it; "" when it failed.
        problem: Why it failed, "" when it did not.
        answer: What came, None when it failed.
    """

    began_s: float
    ended_s: float
    version: str
    problem: str = ""
    answer: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """One move of the champion pointer.

    Attributes:
        kind: "promote" or "rollback".
        began_s: When it was asked for.
        version: Where the pointer went.
    """

    kind: str
    began_s: float
    version: str


def run(seed: int, quick: bool) -> Findings:
    """Return bar "loop.6": failed requests over twenty moves (quick: six), and how soon a rollback serves."""
    collection = get_collection(None, quick=True)
    queries = list(collection.queries.values())
    with bench_settings() as settings:
        return judge(*swap(settings, collection.documents, queries, QUICK_MOVES if quick else MOVES, seed))


def judge(answers: list[Answered], moves: list[Move], manifests: dict[str, Manifest]) -> Findings:
    """Return what the answers say of the moves between the versions of `manifests`."""
    mixed = sum(answer.answer is not None and not is_whole(answer.answer, manifests) for answer in answers)
    failed = [answer.problem for answer in answers if answer.problem]
    waits = {kind: [first_s(answers, move) for move in moves if move.kind == kind] for kind in ("promote", "rollback")}
    stale = [last_stale_s(answers, move) for move in moves if move.kind == "rollback"]
    latency_ms = np.quantile([1000 * (answer.ended_s - answer.began_s) for answer in answers], [0.5, 0.99]).tolist()
    said = f"of {len(answers)} searches by {CLIENTS} clients, over {len(moves)} promotions and rollbacks"
    return Findings(
        [
            at_most("loop.6", f"failed {said}", len(failed), 0),
            at_most("loop.6", "answers not ranked by the version they name", mixed, 0),
            at_most("loop.6", "slowest rollback, seconds to its first answer", max(waits["rollback"]), 1.0),
        ],
        {
            "problems": sorted(set(failed))[:5],
            "mean seconds to first answer": {kind: round(float(np.mean(found)), 3) for kind, found in waits.items()},
            "seconds until the last answer of the version rolled back": round(max(stale), 3),
            "searches per second": round(len(answers) / (answers[-1].ended_s - answers[0].began_s)),
            "latency under this load, ms": {"p50": round(latency_ms[0], 1), "p99": round(latency_ms[1], 1)},
        },
    )


def swap(
    settings: Settings, documents: list[dict[str, Any]], queries: list[str], moves: int, seed: int
) -> tuple[list[Answered], list[Move], dict[str, Manifest]]:
    """Return every answer to twenty clients, by its end, the moves made meanwhile, and the versions.

    A promotion and its rollback follow each other, `moves` of them altogether.
    """
    container = Container(settings)
    with Server(settings) as server:
        index(server.remote, documents)
        home, *others = (add_version(container, seed + number) for number in range(1 + moves // 2))
        _move(server.url, "promote", f"/v1/versions/{home}/promote")
        crowd = Crowd(server.url, queries, seed)
        done: list[Move] = []
        try:
            for fresh in others:
                done.append(_move(server.url, "promote", f"/v1/versions/{fresh}/promote"))
                done.append(_move(server.url, "rollback", "/v1/versions/rollback"))
        finally:
            answers = crowd.stop()
    manifests = {name: container.registry.get(DEFAULT_COLLECTION, name).manifest for name in (home, *others)}
    container.engine.dispose()
    return answers, done, manifests


class Crowd:
    """Twenty clients that search as fast as they are answered, each over its own connection."""

    def __init__(self, url: str, queries: list[str], seed: int, clients: int = CLIENTS) -> None:
        self._stop = threading.Event()
        self._answers: list[Answered] = []
        self._threads = [
            threading.Thread(target=self._work, args=(url, _ask(queries, seed, number)), daemon=True)
            for number in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> list[Answered]:
        """Let searches under way end; return all answers by their end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return sorted(self._answers, key=lambda answer: answer.ended_s)

    def _work(self, url: str, body: Callable[[], dict[str, Any]]) -> None:
        with httpx.Client(base_url=url, timeout=_TIMEOUT_S) as client:
            while not self._stop.is_set():
                self._answers.append(_search(client, body()))


def first_s(answers: list[Answered], move: Move) -> float:
    """Return the seconds from a move's request to the first answer by the version that it chose.

    Only answers after the request count; without any, infinity.
    """
    ends = (answer.ended_s for answer in answers if answer.version == move.version and answer.ended_s > move.began_s)
    return min(ends, default=float("inf")) - move.began_s


def last_stale_s(answers: list[Answered], move: Move) -> float:
    """Return the seconds from a move's request to the last search that still got another version.

    Searches count that began within the pause after the move.
    """
    stale = (
        answer.began_s
        for answer in answers
        if 0 < answer.began_s - move.began_s < _BETWEEN_S and answer.version != move.version
    )
    return max(stale, default=move.began_s) - move.began_s


def _ask(queries: list[str], seed: int, client: int) -> Callable[[], dict[str, Any]]:
    random = np.random.default_rng([seed, client])
    return lambda: {
        "query": queries[int(random.integers(len(queries)))],
        "user": f"client-{client}",
        "explain": True,
    }


def _search(client: httpx.Client, body: dict[str, Any]) -> Answered:
    began_s = monotonic_s()
    try:
        response = client.post("/v1/search", json=body)
    except httpx.TransportError as problem:
        return Answered(began_s, monotonic_s(), "", repr(problem))
    if not response.is_success:
        return Answered(began_s, monotonic_s(), "", f"{response.status_code} {response.text[:200]}")
    answer = response.json()
    return Answered(began_s, monotonic_s(), answer["version"], answer=answer)


def _move(url: str, kind: str, path: str) -> Move:
    began_s = monotonic_s()
    response = httpx.post(url + path, json={"reason": "bench"}, timeout=_TIMEOUT_S).raise_for_status()
    time.sleep(_BETWEEN_S)
    return Move(kind, began_s, response.json()["version"])
