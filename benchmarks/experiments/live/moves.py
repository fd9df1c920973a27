"""A champion moved by hand, and an experiment started again, while clients search."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from itertools import count
from typing import Any

from benchmarks.harness.fixtures import add_version, get_collection, index
from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.harness.server import Server, bench_settings
from clickloop.container import Container
from foundation.clock import monotonic_s
from foundation.http_client import ServiceClient

MOVES, QUICK_MOVES = 10, 2
RESTARTS, QUICK_RESTARTS = 5, 2
CLIENTS = 3
_USERS = 60
_WITHIN_S = 1.0
_RUN_S = 2.0


@dataclass(frozen=True, slots=True)
class _Answered:
    """One answer: when its search began, and who ranked it."""

    began_s: float
    version: str
    experiment: str


class _Clients:
    """Three clients that search for sixty users as fast as they are answered."""

    def __init__(self, url: str, queries: list[str]) -> None:
        self._stop = threading.Event()
        self.answers: list[_Answered] = []
        self._threads = [
            threading.Thread(target=self._work, args=(url, queries, number), daemon=True) for number in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let searches under way end."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, url: str, queries: list[str], number: int) -> None:
        remote = ServiceClient(url)
        for turn in count(number):
            if self._stop.is_set():
                break
            began_s = monotonic_s()
            body = {"query": queries[turn % len(queries)], "user": f"user-{turn * 7 % _USERS}"}
            answer = remote.post("/v1/search", body)
            self.answers.append(_Answered(began_s, answer["version"], answer["experiment"]))
        remote.close()


def run(seed: int, quick: bool) -> list[Bar]:
    """Return bars "ab.moves" and "ab.restarts"."""
    collection = get_collection(None, quick=True)
    queries = list(collection.queries.values())
    with bench_settings() as settings, Server(settings) as server:
        container = Container(server.settings)
        index(server.remote, collection.documents)
        versions = [add_version(container, seed + number) for number in range(3)]
        container.engine.dispose()
        clients = _Clients(server.url, queries)
        try:
            late, searches = _move(server.remote, clients, versions, QUICK_MOVES if quick else MOVES)
            mixed, units = _restart(server.remote, versions, QUICK_RESTARTS if quick else RESTARTS)
        finally:
            clients.stop()
    what = f"share of {searches} searches begun {_WITHIN_S:g} s after a promotion or rollback by hand that it reaches"
    seen = f"of {units} units in two arms after {RESTARTS} restarts under {CLIENTS} clients"
    return [at_least("ab.moves", what, 1 - late / searches, 1.0), at_most("ab.restarts", seen, mixed, 0)]


def _move(remote: ServiceClient, clients: _Clients, versions: list[str], moves: int) -> tuple[int, int]:
    """Move the champion while an experiment runs; return the searches that it did not reach in time, and all."""
    home, other, treatment = versions
    remote.post(f"/v1/versions/{home}/promote", {"reason": "bench"})
    late = searches = 0
    for number in range(moves):
        experiment = _start(remote, treatment)
        time.sleep(_RUN_S)
        wanted = other if number % 2 == 0 else home
        moved = _promote_or_roll_back(remote, wanted, back=number % 2 == 1)
        moved_s = monotonic_s()
        time.sleep(_WITHIN_S + _RUN_S)
        after = [one for one in list(clients.answers) if one.began_s >= moved_s + _WITHIN_S]
        late += sum(one.version != moved or one.experiment != "" for one in after)
        searches += len(after)
        state = remote.get(f"/v1/experiments/{experiment}")["experiment"]["state"]
        late += len(after) if state == "running" else 0
    return late, searches


def _promote_or_roll_back(remote: ServiceClient, version: str, *, back: bool) -> str:
    if back:
        champion = remote.get("/v1/versions")["champion"]
        return str(remote.post("/v1/versions/rollback", {"reason": "bench", "from": champion})["version"])
    return str(remote.post(f"/v1/versions/{version}/promote", {"reason": "bench"})["version"])


def _restart(remote: ServiceClient, versions: list[str], restarts: int) -> tuple[int, int]:
    """Stop and start an experiment under traffic; return the mixed units of all its runs, and all units."""
    experiment = _start(remote, versions[2])
    mixed = units = 0
    for _ in range(restarts):
        time.sleep(_RUN_S)
        card = _stop(remote, experiment)
        mixed, units = mixed + card["sample_ratio"]["mixed"], units + sum(arm["units"] for arm in card["arms"])
        remote.post(f"/v1/experiments/{experiment}/start", {})
    time.sleep(_RUN_S)
    card = _stop(remote, experiment)
    return mixed + card["sample_ratio"]["mixed"], units + sum(arm["units"] for arm in card["arms"])


def _start(remote: ServiceClient, treatment: str) -> str:
    plan = {"name": "bench", "kind": "ab", "control": "champion", "treatment": treatment, "planned_searches": 10**6}
    made = remote.post("/v1/experiments", plan | {"min_days": 1, "max_days": 7})
    remote.post(f"/v1/experiments/{made['id']}/start", {})
    return str(made["id"])


def _stop(remote: ServiceClient, experiment: str) -> dict[str, Any]:
    remote.post(f"/v1/experiments/{experiment}/stop", {})
    card: dict[str, Any] = remote.get(f"/v1/experiments/{experiment}")
    return card
