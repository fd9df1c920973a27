"""Bar 9: the service beside one that an engineer writes in an afternoon, the same load on each in turn."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np

from benchmarks.harness.load import quantile_ms, shoot
from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.harness.server import Server
from benchmarks.search.load import Questions
from benchmarks.search.recipes.server import ARTICLES, FORMS, VECTORS
from benchmarks.search.service import PLAIN
from clickloop.cli.demo.background_service import free_port
from clickloop.container import Container
from foundation.clock import monotonic_s
from foundation.contracts import DEFAULT_COLLECTION
from foundation.errors import NotReady
from foundation.ids import canonical_json
from foundation.processes.children import end_children, start_child
from serving.index.corpus import Corpus

_TURNS = 5
_CLIENTS = 16
_START_TIMEOUT_S = 120.0
_LOOK_S = 0.2
_SMALL = 10_000
"""Above so many articles the service must be the faster one."""

_SLOWER, _SHARE = 1.6, 0.55


def measure_afternoon(
    server: Server, container: Container, articles: Sequence[dict[str, Any]], questions: Questions, seconds: float
) -> tuple[list[Bar], dict[str, Any]]:
    """Return the time of the service's searches and its throughput, by those of the recipe.

    Both answer the same queries about the same articles, each query new to both; the service logs every search
    durably. The articles' vectors are those of the service, one mean a document.

    Args:
        seconds: Of all loads together on one of them.
    """
    corpus = container.snapshots.open(DEFAULT_COLLECTION)
    with _serve(corpus, articles, server.settings.home / FORMS) as recipe:
        ours, theirs = [], []
        for _ in range(_TURNS):
            ours.append(_load(server.url, "/v1/search", questions, seconds / _TURNS))
            theirs.append(_load(recipe, "/search", questions, seconds / _TURNS))
    container.snapshots.close(DEFAULT_COLLECTION, corpus)
    times, rates = _by_turn(ours, theirs)
    small = len(articles) <= _SMALL
    return [
        at_most("search.9", "median by that of an afternoon's recipe, ratio", times, _SLOWER if small else 1.0),
        at_least("search.9", f"searches a second of {_CLIENTS} clients by its", rates, _SHARE if small else 1.0),
    ], {"ours, median ms and searches a second": ours, "the recipe's": theirs}


def _by_turn(ours: list[tuple[float, float]], theirs: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the medians over the turns of ours by theirs."""
    ratios = np.array(ours) / np.array(theirs)
    return median(ratios[:, 0].tolist()), median(ratios[:, 1].tolist())


def _load(url: str, path: str, questions: Questions, seconds: float) -> tuple[float, float]:
    """Return the median milliseconds of one client's searches, and how many sixteen clients get a second."""
    alone = _shoot(url, path, questions, 1, seconds / 2)
    many = _shoot(url, path, questions, _CLIENTS, seconds / 2)
    return round(alone[0], 2), round(many[1], 1)


def _shoot(url: str, path: str, questions: Questions, clients: int, seconds: float) -> tuple[float, float]:
    volley = shoot(url, path, questions.ask(**PLAIN), seconds=seconds, clients=clients)
    questions.advance(len(volley.shots))
    answered = volley.answered()
    return quantile_ms(answered, 0.5), len(answered) / volley.seconds


@contextmanager
def _serve(corpus: Corpus, articles: Sequence[dict[str, Any]], forms: Path) -> Iterator[str]:
    """Run the recipe over the articles that the service holds; yield its address."""
    found = [(article, row) for article in articles if (row := corpus.row(str(article["id"]))) is not None]
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ARTICLES).write_text("\n".join(canonical_json(article) for article, _ in found))
        np.save(folder / VECTORS, corpus.means([row for _, row in found]))
        (folder / FORMS).symlink_to(forms.resolve())
        port = free_port()
        child = start_child("benchmarks.search.recipes.server", name, str(port), environment=os.environ)
        try:
            _await(f"http://127.0.0.1:{port}/docs")
            yield f"http://127.0.0.1:{port}"
        finally:
            end_children(child)


def _await(address: str) -> None:
    until_s = monotonic_s() + _START_TIMEOUT_S
    while monotonic_s() < until_s:
        try:
            httpx.get(address).raise_for_status()
        except httpx.TransportError:
            time.sleep(_LOOK_S)
        else:
            return
    raise NotReady(f"the recipe did not start in {_START_TIMEOUT_S:.0f} s")
