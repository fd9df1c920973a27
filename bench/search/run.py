"""Runs the bars of search over articles that a home keeps, so that they are embedded once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.report import Bar, Findings
from bench.search.approximation import measure_recall
from bench.search.articles import grow, read_sources
from bench.search.changes import measure_build, measure_swaps
from bench.search.quality import measure_quality
from bench.search.recipe import measure_recipe
from bench.search.service import (
    measure_footprint,
    measure_latency,
    measure_overload,
    measure_throughput,
    stage_shares,
)
from bench.server import Server
from clickloop.parts import Parts
from clickloop.remote import Remote
from foundation.ids import canonical_json
from foundation.settings import Settings
from simulator.collection import JudgedCollection, read_beir
from simulator.docstrings import docstrings

DOCUMENTS = 100_000
QUICK_DOCUMENTS = 1500
_SOURCES = ("libreoffice_help", "postgresql_docs", "scifact")
_AT_ONCE = 500
_LOOK_S = 1.0
_RECALL_QUERIES = 200
_SHARE_QUERIES = 100
_MOVES = 6
_QUICK_MOVES = 2

Tell = Callable[[str], None]


def run(data: Path | None, home: Path, documents: int, seed: int, quick: bool, tell: Tell) -> Findings:
    """Return every bar of search.

    Args:
        data: Folder of collections in BEIR form, which articles grow from and quality is judged on;
            Python's docstrings without one.
        home: Where the articles' index is kept between runs.
        documents: How many articles.
        tell: Hears what is being done.
    """
    collections = _read_collections(data)
    articles = _keep_articles(home / "articles.jsonl", collections, documents, seed)
    queries = _choose_queries(collections, seed)
    bodies = [{"query": query, "user": f"user-{place}"} for place, query in enumerate(queries)]
    plain = [{**body, "skip": ["rerank"]} for body in bodies]
    settings = Settings(home=home, late_interaction=True, log_level="warning")
    seconds = 4.0 if quick else 60.0
    bars: list[Bar] = []
    details: dict[str, Any] = {"articles": len(articles), "words an article": _mean_words(articles)}
    with Server(settings) as server:
        _hold(server.remote, articles, tell)
        tell("latency")
        bars += measure_latency(server, plain, seconds, late=False)
        bars += measure_latency(server, bodies, seconds, late=True)
        details["stages, with late interaction"] = stage_shares(server, bodies[:_SHARE_QUERIES])
        tell("throughput and overload")
        found, peak = measure_throughput(server, plain, seconds)
        bars += found
        found, details["overload"] = measure_overload(server, bodies, peak, seconds)
        bars += found
        tell("memory and start")
        found, _ = measure_footprint(server)
        bars += found
        parts = Parts(settings)
        tell("recall")
        found, details["recall"] = measure_recall(parts, queries[:_RECALL_QUERIES])
        bars += found
        tell("swaps")
        found, details["swaps"] = measure_swaps(server, parts, plain, _QUICK_MOVES if quick else _MOVES, seed)
        bars += found
        tell("build of a generation")
        found, details["build"] = measure_build(server, parts, plain, articles, seconds)
        bars += found
        parts.engine.dispose()
    tell("the recipe of a tutorial")
    found, details["recipe"] = measure_recipe(settings, articles, queries, bars)
    bars += found
    if data is not None and not quick:
        tell("quality on judged collections")
        found, details["quality"] = measure_quality(data, settings)
        bars += found
    return Findings(sorted(bars, key=lambda bar: bar.id), details)


def _read_collections(data: Path | None) -> list[JudgedCollection]:
    if data is None:
        return [docstrings(Settings().home.resolve() / "corpus")]
    return [read_beir(data / name) for name in _SOURCES]


def _keep_articles(kept: Path, collections: list[JudgedCollection], documents: int, seed: int) -> list[dict[str, Any]]:
    """Return the articles that were grown for a home when it was made; grows them when it is new."""
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        sources = read_sources([one for collection in collections for one in collection.documents])
        kept.write_text("\n".join(map(canonical_json, grow(sources, documents, seed))))
    return [json.loads(line) for line in kept.read_text().splitlines()]


def _choose_queries(collections: list[JudgedCollection], seed: int) -> list[str]:
    held_out = {query for collection in collections for query in collection.split("test")}
    texts = {text for collection in collections for query, text in collection.queries.items() if query in held_out}
    ordered = sorted(texts)
    return [ordered[place] for place in np.random.default_rng(seed).permutation(len(ordered)).tolist()]


def _hold(remote: Remote, articles: list[dict[str, Any]], tell: Tell) -> None:
    """Bring the articles into the service and a generation, unless they are there."""
    tell(f"sending {len(articles)} articles, those there excepted")
    for start in range(0, len(articles), _AT_ONCE):
        remote.put_lines("/v1/documents", "\n".join(map(canonical_json, articles[start : start + _AT_ONCE])))
    while (told := _ask(remote))["behind"] or told["waiting"] or told["build"]["state"] in ("reading", "sealing"):
        tell(f"{told['waiting']} articles wait to be embedded, build {told['build']['state']}")
        time.sleep(_LOOK_S)
    if told["generation"] is None or told["tail"]:
        remote.post("/v1/index/builds", {})
        while (told := _ask(remote))["generation"] is None or told["tail"]:
            tell(f"build {told['build']['state']}: {told['build']['done']} of {told['build']['total']}")
            time.sleep(_LOOK_S)


def _ask(remote: Remote) -> dict[str, Any]:
    remote.await_ready(120.0)
    told: dict[str, Any] = remote.get("/v1/index")
    return told


def _mean_words(articles: list[dict[str, Any]]) -> float:
    return round(float(np.mean([len(article["text"].split()) for article in articles])), 1)
