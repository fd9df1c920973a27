"""Runs the bars of search over articles that a home keeps, so that they are embedded once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.report import Bar, Findings
from benchmarks.harness.server import Server
from benchmarks.search.approximation import FILTERS, measure_recall
from benchmarks.search.articles import grow, read_sources
from benchmarks.search.changes import measure_build, measure_swaps
from benchmarks.search.load import Questions
from benchmarks.search.quality import measure_quality
from benchmarks.search.recipes.afternoon import measure_afternoon
from benchmarks.search.recipes.tutorial import measure_recipe
from benchmarks.search.service import (
    measure_filters,
    measure_footprint,
    measure_latency,
    measure_overload,
    measure_throughput,
    stage_shares,
)
from clickloop.container import Container
from foundation.clock import monotonic_s
from foundation.contracts import DEFAULT_COLLECTION
from foundation.disk.files import write_whole
from foundation.errors import NotReady
from foundation.http_client import ServiceClient
from foundation.ids import canonical_json
from foundation.settings import Settings
from simulator.collection import JudgedCollection, read_beir
from simulator.docstrings import docstrings

DOCUMENTS = 100_000
QUICK_DOCUMENTS = 300
_SOURCES = ("libreoffice_help", "postgresql_docs", "scifact")
_AT_ONCE = 500
_LOOK_S = 1.0
_START_TIMEOUT_S = 120.0
_RECALL_QUERIES = 200
_SHARE_QUERIES = 100
_MOVES = 6
_QUICK_MOVES = 2

Tell = Callable[[str], None]


ALL_BARS = frozenset(range(1, 10))
QUICK_BARS = frozenset({2, 4, 5})
"""What a quick run measures unless asked for more: the others need loads of a minute or whole collections."""


def run(
    data: Path | None, home: Path, documents: int, seed: int, quick: bool, tell: Tell, only: frozenset[int] = ALL_BARS
) -> Findings:
    """Return the bars of search.

    Args:
        data: Folder of collections in BEIR form, which articles grow from and quality is judged on;
            Python's docstrings without one.
        home: Where the articles' index is kept between runs.
        documents: How many articles.
        tell: Hears what is being done.
        only: Numbers of the bars wanted.
    """
    collections = _read_collections(data)
    articles = _keep_articles(home / "articles.jsonl", collections, documents, seed)
    settings = Settings(home=home, late_interaction=True, log_level="warning")
    told = {"articles": len(articles), "words an article": _mean_words(articles)}
    measured = MeasuredBars(settings, articles, _choose_queries(collections, seed), 3.0 if quick else 60.0, tell, told)
    if only - {6}:
        with Server(settings) as server:
            _hold(server.remote, articles, tell)
            measured.serve(server, only, _QUICK_MOVES if quick else _MOVES, seed)
    if 1 in only:
        measured.compare_recipe()
    if 6 in only and data is not None and not quick:
        measured.judge(data)
    return Findings(sorted(measured.bars, key=lambda bar: bar.id), measured.details)


@dataclass(slots=True)
class MeasuredBars:
    """What has been measured of one home so far; each method adds its bars and details.

    Attributes:
        seconds: How long each load lasts.
    """

    settings: Settings
    articles: list[dict[str, Any]]
    queries: list[str]
    seconds: float
    tell: Tell
    details: dict[str, Any]
    bars: list[Bar] = field(default_factory=list)
    questions: Questions = field(init=False)

    def __post_init__(self) -> None:
        self.questions = Questions(self.queries)

    def serve(self, server: Server, only: frozenset[int], moves: int, seed: int) -> None:
        """Add what a service that holds the articles is asked for."""
        if only & {1, 2, 3}:
            self.time(server, overload=3 in only)
        if 4 in only:
            self.weigh(server)
        if 5 in only:
            self.approximate(server)
        if 9 in only:
            self.compare_afternoon(server)
        if 8 in only:
            self.swap(server, moves, seed)
        if 7 in only:
            self.build(server)

    def time(self, server: Server, *, overload: bool) -> None:
        """Add the times of searches, and what becomes of too many when wanted."""
        self.tell("latency")
        self.bars += measure_latency(server, self.questions, self.seconds, late=False)
        self.bars += measure_latency(server, self.questions, self.seconds, late=True)
        self.details["stages, with late interaction"] = stage_shares(server, self.questions, _SHARE_QUERIES)
        self.tell("throughput and overload")
        found, peak = measure_throughput(server, self.questions, self.seconds)
        self.bars += found
        if overload:
            found, self.details["overload"] = measure_overload(server, self.questions, peak, self.seconds)
            self.bars += found

    def weigh(self, server: Server) -> None:
        """Add memory and start."""
        self.tell("memory and start")
        found, _ = measure_footprint(server, self.questions, self.seconds / 4)
        self.bars += found

    def approximate(self, server: Server) -> None:
        """Add recall, and the time of filtered searches."""
        self.tell("recall")
        filters = {what: {field: True} for what, field in FILTERS.items()}
        self.bars += measure_filters(server, self.questions, filters, self.seconds / 4)
        with self._container() as container:
            found, self.details["recall"] = measure_recall(container, self.queries[:_RECALL_QUERIES])
        self.bars += found

    def compare_afternoon(self, server: Server) -> None:
        """Add the recipe of an afternoon, under the same load."""
        self.tell("the recipe of an afternoon")
        with self._container() as container:
            found, self.details["an afternoon's recipe"] = measure_afternoon(
                server, container, self.articles, self.questions, self.seconds
            )
        self.bars += found

    def swap(self, server: Server, moves: int, seed: int) -> None:
        """Add what swaps cost."""
        self.tell("swaps")
        with self._container() as container:
            found, self.details["swaps"] = measure_swaps(server, container, self.questions, moves, seed)
        self.bars += found

    def build(self, server: Server) -> None:
        """Add what a build costs."""
        self.tell("build of a snapshot")
        with self._container() as container:
            found, self.details["build"] = measure_build(server, container, self.questions, self.articles, self.seconds)
        self.bars += found

    def compare_recipe(self) -> None:
        """Add the tutorial's recipe beside the first time measured."""
        self.tell("the recipe of a tutorial")
        found, self.details["recipe"] = measure_recipe(self.settings, self.articles, self.queries, self.bars)
        self.bars += found

    def judge(self, data: Path) -> None:
        """Add the quality on judged collections."""
        self.tell("quality on judged collections")
        found, self.details["quality"] = measure_quality(data, self.settings)
        self.bars += found

    @contextmanager
    def _container(self) -> Iterator[Container]:
        container = Container(self.settings)
        yield container
        container.engine.dispose()


def _read_collections(data: Path | None) -> list[JudgedCollection]:
    if data is None:
        return [docstrings(Settings().home.resolve() / "corpus")]
    return [read_beir(data / name) for name in _SOURCES]


def _keep_articles(kept: Path, collections: list[JudgedCollection], documents: int, seed: int) -> list[dict[str, Any]]:
    """Return the articles that were grown for a home when it was made; grows them when it is new."""
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        sources = read_sources([one for collection in collections for one in collection.documents])
        write_whole(kept, "\n".join(map(canonical_json, grow(sources, documents, seed))).encode())
    return [json.loads(line) for line in kept.read_text().splitlines()]


def _choose_queries(collections: list[JudgedCollection], seed: int) -> list[str]:
    """Return every query of the collections: time needs no judgments, and more texts than a service remembers."""
    texts = {text for collection in collections for text in collection.queries.values()}
    ordered = sorted(texts)
    return [ordered[place] for place in np.random.default_rng(seed).permutation(len(ordered)).tolist()]


def _hold(remote: ServiceClient, articles: list[dict[str, Any]], tell: Tell) -> None:
    """Bring the articles into the service and a snapshot, unless they are there."""
    tell = _once(tell)
    tell(f"sending {len(articles)} articles, those there excepted")
    for start in range(0, len(articles), _AT_ONCE):
        remote.put_lines("/v1/documents", "\n".join(map(canonical_json, articles[start : start + _AT_ONCE])))
    _await_served(remote)
    while (told := _ask(remote))["behind"] or told["waiting"] or told["build"]["state"] in ("reading", "sealing"):
        tell(f"{told['waiting']} articles wait to be embedded, build {told['build']['state']}")
        time.sleep(_LOOK_S)
    if told["snapshot"] is None or told["delta"]:
        remote.post("/v1/index/builds", {})
        while (told := _ask(remote))["snapshot"] is None or told["delta"]:
            tell(f"build {told['build']['state']}: {told['build']['done']} of {told['build']['total']}")
            time.sleep(_LOOK_S)


def _once(tell: Tell) -> Tell:
    """Return what tells a line only when it is not the last one again."""
    last = [""]

    def tell_new(line: str) -> None:
        if line != last[0]:
            tell(line)
            last[0] = line

    return tell_new


def _await_served(remote: ServiceClient) -> None:
    """Wait until the collection serves; one that has just got its first documents takes a moment."""
    until = monotonic_s() + _START_TIMEOUT_S
    while monotonic_s() < until:
        if remote.get("/readyz")["collections"].get(DEFAULT_COLLECTION, {}).get("version"):
            return
        time.sleep(_LOOK_S)
    raise NotReady(f"the articles do not serve after {_START_TIMEOUT_S:.0f} s; read the log of the service")


def _ask(remote: ServiceClient) -> dict[str, Any]:
    told: dict[str, Any] = remote.get("/v1/index")
    return told


def _mean_words(articles: list[dict[str, Any]]) -> float:
    return round(float(np.mean([len(article["text"].split()) for article in articles])), 1)
