"""Bars 7 and 8: a build of a snapshot and swaps of versions under load."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.harness.fixtures import add_version, is_whole
from benchmarks.harness.load import Shot, Volley, quantile_ms
from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.harness.server import Server
from benchmarks.search.load import Questions, fire
from benchmarks.search.service import PLAIN
from clickloop.cli.versions import await_champion
from clickloop.container import Container
from foundation.clock import monotonic_s
from foundation.contracts import DEFAULT_COLLECTION, Manifest
from foundation.http_client import ServiceClient
from foundation.ids import canonical_json
from serving.index.snapshot import digest_content

_CHANGED = 1000
_AT_ONCE = 50
_GENTLE_RATE = 20.0
_SWAP_RATE = 100.0
_BEFORE_S = 10.0
_BETWEEN_S = 5.0
_WINDOW_S = 2.0
_LIMIT_S = 3600.0
_SETTLE_S = 30.0
_LOOK_S = 0.2


def measure_build(
    server: Server, container: Container, questions: Questions, articles: list[dict[str, Any]], idle_s: float
) -> tuple[list[Bar], dict[str, Any]]:
    """Return what a build, with changes meanwhile, costs the searches, and whether it holds the catalog.

    Args:
        articles: The documents; the first thousand get another text, the next are deleted, a third of few each.
        idle_s: Seconds of searches without a build, to compare with.
    """
    before = fire(server.url, questions, options=PLAIN, rate=_GENTLE_RATE, seconds=idle_s)
    old = server.remote.get("/v1/index")["snapshot"]
    server.remote.post("/v1/index/builds", {})
    ended = threading.Event()
    during: list[Volley] = []
    with ThreadPoolExecutor(1) as pool:
        changing = pool.submit(_change, server.url, articles)
        began = time.perf_counter()
        while not ended.is_set():
            during.append(fire(server.url, questions, options=PLAIN, rate=_GENTLE_RATE, seconds=5.0))
            if _is_swapped(server.remote, old) or time.perf_counter() - began > _LIMIT_S:
                ended.set()
        changing.result()
    took_s = time.perf_counter() - began
    shots = [shot for volley in during for shot in volley.shots]
    holds = float(_holds_catalog(server, container))
    changes = _count_changes(articles)
    ratio = quantile_ms(shots, 0.99) / quantile_ms(before.shots, 0.99)
    return [
        at_most("search.7", "99th percentile during a build by that without, ratio", ratio, 2.0),
        at_most("search.7", "searches failed during a build", sum(shot.status != 200 for shot in shots), 0),
        at_least("search.7", f"snapshot holds the catalog after {changes} upserts and {changes} deletes", holds, 1.0),
    ], {
        "seconds of the build": round(took_s),
        "99th percentile without, ms": round(quantile_ms(before.shots, 0.99), 1),
        "99th percentile during, ms": round(quantile_ms(shots, 0.99), 1),
    }


def measure_swaps(
    server: Server, container: Container, questions: Questions, moves: int, seed: int
) -> tuple[list[Bar], dict[str, Any]]:
    """Return what swaps under a hundred searches a second cost, and whether any answer mixes versions."""
    versions = [add_version(container, seed + number) for number in range(2)]
    manifests = {name: container.registry.get(DEFAULT_COLLECTION, name).manifest for name in versions}
    champion = _champion(server.remote)
    _begin_with(server.remote, versions[0])
    options = {**PLAIN, "explain": True}
    seconds = _BEFORE_S + moves * _BETWEEN_S
    swapped: list[float] = []
    with ThreadPoolExecutor(1) as pool:
        began = time.perf_counter()
        load = pool.submit(fire, server.url, questions, options=options, rate=_SWAP_RATE, seconds=seconds, keep=True)
        time.sleep(_BEFORE_S)
        for number in range(moves):
            swapped.append(time.perf_counter() - began)
            _promote(server.remote, versions[(number + 1) % 2])
            time.sleep(_BETWEEN_S)
        volley = load.result()
    _begin_with(server.remote, champion)  # so that a later run over the same home measures what this one did
    before = [shot for shot in volley.shots if shot.at_s < swapped[0]]
    within = [shot for shot in volley.shots if _is_near(shot, swapped)]
    mixed = sum(contradicts(answer, manifests) for answer in volley.answers)
    empty = sum(not answer["hits"] for answer in volley.answers)
    ratio = quantile_ms(within, 0.99) / quantile_ms(before, 0.99)
    unanswered = len(volley.shots) - len(volley.answered())
    return [
        at_most("search.8", f"of {len(volley.shots)} searches, failed or refused", unanswered, 0),
        at_most("search.8", "answers that a recomputation contradicts", mixed, 0),
        at_most("search.8", "99th percentile within 2 s of a swap by that before, ratio", ratio, 1.5),
    ], {
        "swaps": moves,
        "answers without hits": empty,
        "99th percentile before, ms": round(quantile_ms(before, 0.99), 1),
        "99th percentile within 2 s of a swap, ms": round(quantile_ms(within, 0.99), 1),
    }


def _change(url: str, articles: list[dict[str, Any]]) -> None:
    """Change documents and delete as many, in small requests spread over the build."""
    remote = ServiceClient(url)
    count = _count_changes(articles)
    changed = [{**one, "text": f"Changed. {one['text']}"} for one in articles[:count]]
    deleted = [one["id"] for one in articles[count : 2 * count]]
    for start in range(0, count, _AT_ONCE):
        remote.put_lines("/v1/documents", "\n".join(map(canonical_json, changed[start : start + _AT_ONCE])))
        remote.delete("/v1/documents", deleted[start : start + _AT_ONCE])
        time.sleep(0.2)
    remote.close()


def _count_changes(articles: list[dict[str, Any]]) -> int:
    return min(_CHANGED, len(articles) // 3)


def _is_swapped(remote: ServiceClient, old: dict[str, Any] | None) -> bool:
    told = remote.get("/v1/index")
    return told["snapshot"] is not None and told["snapshot"] != old and told["behind"] == 0


def _holds_catalog(server: Server, container: Container) -> bool:
    """Return whether the new snapshot with what was replayed into it is exactly the catalog.

    Changes may have been made up to this moment; the replica gets the time to take them in.
    """
    until = monotonic_s() + _SETTLE_S
    while (told := server.remote.get("/v1/index?digest=true"))["behind"] and monotonic_s() < until:
        time.sleep(_LOOK_S)
    return bool(told["digest"] == digest_content(container.catalog.held(DEFAULT_COLLECTION)))


def contradicts(answer: dict[str, Any], manifests: Mapping[str, Manifest]) -> bool:
    """Return whether an explained answer cannot come from the version that it names.

    Under load the meaning of a query may be left out; when no document has its words either, nothing
    is found, and that is no contradiction.
    """
    if not answer["hits"] and "meaning" in answer["skipped"]:
        return answer["version"] not in manifests
    return not is_whole(answer, manifests)


def _champion(remote: ServiceClient) -> str:
    return str(remote.get("/readyz")["collections"][DEFAULT_COLLECTION]["version"])


def _begin_with(remote: ServiceClient, version: str) -> None:
    """Let a version serve, if another does."""
    if _champion(remote) != version:
        _promote(remote, version)
    await_champion(remote, version)


def _promote(remote: ServiceClient, version: str) -> None:
    remote.post(f"/v1/versions/{version}/promote", {"reason": "bench"})


def _is_near(shot: Shot, moments: list[float]) -> bool:
    return any(0 <= shot.at_s - moment <= _WINDOW_S for moment in moments)
