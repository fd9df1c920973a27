"""Kills the server (SIGKILL) during ingestion and during swaps, and counts what was lost or counted twice."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import sqlalchemy as sa

from bench.material import add_version, drain, get_collection, index, is_whole
from bench.report import Findings, at_most
from bench.server import Server, bench_settings
from bench.visitors import Acknowledged, Visitors
from clickloop.parts import Parts
from clickloop.remote import Remote
from collector.store import evidence_digest, replay
from foundation.contracts import DEFAULT_COLLECTION, Manifest
from foundation.db import reading
from foundation.settings import Settings
from foundation.tables import events, evidence, impressions

KILLS = 10
QUICK_KILLS = 4
_PROBES = 5


@dataclass(frozen=True, slots=True)
class Damage:
    """What kills did; every number should be 0.

    Attributes:
        lost_events: Acknowledged events that are not stored.
        lost_searches: Answered searches whose impression is not stored.
        unknown_events: Stored events that nobody sent.
        miscounted: Difference between the lists and clicks in evidence and those acknowledged or stored.
        replay_differs: Whether a recount of everything stored gives other evidence.
        broken_answers: Answers after a restart that no whole version can have given.
    """

    lost_events: int
    lost_searches: int
    unknown_events: int
    miscounted: int
    replay_differs: int
    broken_answers: int


def run(seed: int, quick: bool) -> Findings:
    """Return bar "loop.5" after ten kills (quick: four), half of them during a swap."""
    kills = QUICK_KILLS if quick else KILLS
    collection = get_collection(None, quick=True)
    queries = list(collection.queries.values())
    with bench_settings() as settings:
        damage, memory = crash(settings, collection.documents, queries, kills, seed)
    lost = damage.lost_events + damage.lost_searches
    wrong = damage.unknown_events + damage.miscounted + damage.replay_differs
    said = f"of {len(memory.events)} acknowledged events and {len(memory.searches)} searches, over {kills} kills"
    return Findings(
        [
            at_most("loop.5", f"lost {said}", lost, 0),
            at_most("loop.5", "lists and clicks counted wrongly, and differences to a replay", wrong, 0),
            at_most("loop.5", "answers after a restart that no whole version gave", damage.broken_answers, 0),
        ],
        {"requests sent again": memory.retries},
    )


def crash(
    settings: Settings, documents: list[dict[str, Any]], queries: list[str], kills: int, seed: int
) -> tuple[Damage, Acknowledged]:
    """Return what `kills` kills did to a service over the empty home of `settings`, and what its clients know.

    Four clients search and report all the time. Every second kill comes up to 0.4 s after a
    promotion or rollback was asked for; the others at any moment of ingestion.
    """
    random = np.random.default_rng(seed)
    server = Server(settings)
    parts = Parts(settings)
    with server:
        index(server.remote, documents)
        manifests = {name: parts.registry.get(DEFAULT_COLLECTION, name).manifest for name in _two_versions(parts, seed)}
        _swap(server.url, min(manifests))
        visitors = Visitors(server.url, queries, seed)
        try:
            broken = sum(_kill(server, manifests, queries, random, number) for number in range(kills))
        finally:
            memory = visitors.stop()
        drain(parts)
    damage = assess(parts, memory, broken)
    parts.log.close()
    parts.engine.dispose()
    return damage, memory


def _two_versions(parts: Parts, seed: int) -> list[str]:
    return [add_version(parts, seed + number) for number in range(2)]


def _kill(
    server: Server, manifests: dict[str, Manifest], queries: list[str], random: np.random.Generator, number: int
) -> int:
    """Kill the server at a random moment and start it again; return how many broken answers it gives first."""
    time.sleep(random.uniform(0.2, 1.2))
    if number % 2:
        champion = server.remote.get("/v1/versions")["champion"]
        wanted = next(name for name in sorted(manifests) if name != champion)
        threading.Thread(target=_swap, args=(server.url, wanted), daemon=True).start()
        time.sleep(random.uniform(0.0, 0.4))
    server.kill()
    server.start()
    asked = [queries[place] for place in random.integers(len(queries), size=_PROBES).tolist()]
    return sum(not is_whole(_ask(server.remote, query), manifests) for query in asked)


def _swap(url: str, version: str) -> None:
    with suppress(httpx.TransportError):  # killed meanwhile: either it moved the pointer or it did not
        httpx.post(f"{url}/v1/versions/{version}/promote", timeout=10)


def _ask(remote: Remote, query: str) -> dict[str, Any]:
    answer: dict[str, Any] = remote.post("/v1/search", {"query": query, "explain": True, "log": False})
    return answer


def assess(parts: Parts, memory: Acknowledged, broken: int) -> Damage:
    """Return what is missing or too much in the database, by what the clients remember; replays at the end."""
    heard, shown = _ids(parts, events.c.id), _ids(parts, impressions.c.query_id)
    before = evidence_digest(parts.engine, DEFAULT_COLLECTION)
    miscounted = _miscounted(parts, memory)
    replay(parts.engine, DEFAULT_COLLECTION, parts.settings)
    return Damage(
        lost_events=len(memory.events - heard),
        lost_searches=len(memory.searches.keys() - shown),
        unknown_events=len(heard - memory.sent),
        miscounted=miscounted,
        replay_differs=int(evidence_digest(parts.engine, DEFAULT_COLLECTION) != before),
        broken_answers=broken,
    )


def _ids(parts: Parts, column: sa.Column[str]) -> set[str]:
    with reading(parts.engine) as connection:
        return set(connection.execute(sa.select(column)).scalars())


def _miscounted(parts: Parts, memory: Acknowledged) -> int:
    """Return how far evidence is from one count per acknowledged click and per result of a list that was looked at.

    That is a list with a click, or one before it of the same person: searches are sent again while a server is down.
    """
    clicked_in = {query_id for query_id, _ in memory.clicks}
    with reading(parts.engine) as connection:
        counted = connection.execute(sa.select(evidence.c.shown, evidence.c.clicked)).all()
        columns = (impressions.c[name] for name in ("query_id", "unit", "at", "results"))
        lists = connection.execute(sa.select(*columns).order_by(impressions.c.at)).all()
    last = {one.unit: one.at for one in lists if one.query_id in clicked_in}
    expected = sum(len(one.results) for one in lists if one.unit in last and one.at <= last[one.unit])
    shown = sum(int(sum(row.shown)) for row in counted)
    clicked = sum(int(sum(row.clicked)) for row in counted)
    return abs(clicked - len(memory.clicks)) + abs(shown - expected)
