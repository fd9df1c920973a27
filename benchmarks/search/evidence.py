"""What a search costs when a million events have been folded: its time, the start of a service, its memory."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import sqlalchemy as sa

from benchmarks.harness import fixtures
from benchmarks.harness.load import quantile_ms
from benchmarks.harness.report import Bar, at_most
from benchmarks.harness.server import Server
from benchmarks.search.load import Questions, fire
from benchmarks.search.service import resident_mib
from clickloop.container import Container
from collector.tables import evidence
from foundation.clock import period_of
from foundation.contracts import CURVE_RANKS, DEFAULT_COLLECTION, query_key
from foundation.database.engine import transaction
from foundation.database.tables import counters
from foundation.settings import Settings

Tell = Callable[[str], None]

_LISTS, _QUICK_LISTS = 250_000, 10_000
_QUERIES, _QUICK_QUERIES = 5_000, 300
_DOCUMENTS, _QUICK_DOCUMENTS = 1_000, 300
_SECONDS, _QUICK_SECONDS = 20.0, 4.0
_POOL = 200
_POPULAR = 1.0
_EVENTS_A_LIST = 4
_AT_ONCE = 5_000
_RATIO, _START_S, _MIB = 1.3, 5.0, 700.0


def measure_evidence(seed: int, quick: bool, tell: Tell) -> tuple[list[Bar], dict[str, Any]]:
    """Return what evidence costs, by the same searches without and with it, one service after the other.

    A list shows ten documents of the two hundred that its query has; users look down to a rank and click now and then.
    Popular queries are asked more often, as 1/rank. Each list counts as four events: itself, a click, how long
    the user stayed, and a rating. A quick run has 10,000 lists.
    """
    lists, queries, seconds = (_QUICK_LISTS, _QUICK_QUERIES, _QUICK_SECONDS) if quick else (_LISTS, _QUERIES, _SECONDS)
    documents = write_documents(_QUICK_DOCUMENTS if quick else _DOCUMENTS, seed)
    asked = write_queries(documents, queries, seed)
    with TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), log_level="warning")
        with Server(settings) as server:
            tell("documents")
            fixtures.index(server.remote, documents)
            tell("searches without evidence")
            without = _measure(server, asked, seconds)
        tell(f"{lists} lists")
        rows = fold_lists(lists, asked, [one["id"] for one in documents], seed)
        store(settings, rows)
        with Server(settings):
            tell("the first start embeds the queries")
        began = time.perf_counter()
        with Server(settings) as server:
            started_s = time.perf_counter() - began
            tell("searches with evidence")
            with_evidence = _measure(server, asked, seconds)
            resident = resident_mib(server.process_id)
    said = f"{lists * _EVENTS_A_LIST} events"
    return [
        at_most("search.evidence", f"median with {said} folded by that without", with_evidence / without, _RATIO),
        at_most("search.evidence", f"from start to ready with {said}, seconds", started_s, _START_S),
        at_most("search.evidence", f"resident memory with {said}, MiB", resident, _MIB),
    ], {
        "rows of evidence": len(rows),
        "queries": len(asked),
        "median without evidence, ms": round(without, 2),
        "median with evidence, ms": round(with_evidence, 2),
    }


def write_documents(count: int, seed: int) -> list[dict[str, Any]]:
    """Return short documents of made-up words."""
    rng = random.Random(seed)
    words = ["".join(rng.choice("bdfgklmnprst") + rng.choice("aeiou") for _ in range(3)) for _ in range(2_000)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]

    def write(length: int) -> str:
        return " ".join(rng.choices(words, weights, k=length))

    return [{"id": f"d{number}", "title": write(4), "text": write(30)} for number in range(count)]


def write_queries(documents: list[dict[str, Any]], count: int, seed: int) -> list[str]:
    """Return different queries of two to three words that stand in a title."""
    rng = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        words = rng.choice(documents)["title"].split()
        found[" ".join(rng.sample(words, rng.randint(2, 3)))] = None
    return list(found)


def fold_lists(lists: int, queries: list[str], documents: list[str], seed: int) -> list[dict[str, Any]]:
    """Return the evidence of lists as the collector folds it, one row a query and document."""
    rng = np.random.default_rng(seed)
    popular = 1.0 / np.arange(1, len(queries) + 1) ** _POPULAR
    asked = rng.choice(len(queries), lists, p=popular / popular.sum())
    pool = min(_POOL, len(documents) // 2)
    places = (rng.random((lists, CURVE_RANKS)) ** 3 * pool).astype(np.int64)  # the best of a pool are shown most
    shown = (asked[:, None] * 7 + places) % len(documents)
    looked = np.arange(CURVE_RANKS) <= rng.geometric(0.3, lists)[:, None]
    clicked = looked & (rng.random((lists, CURVE_RANKS)) < 0.6 / (1 + places / 4))
    keys, row = np.unique((asked[:, None] * len(documents) + shown).ravel(), return_inverse=True)
    counts = np.zeros((2, len(keys), CURVE_RANKS), np.int64)
    rank = np.tile(np.arange(CURVE_RANKS), lists)
    for column, flags in zip(counts, (looked, clicked), strict=True):
        np.add.at(column, (row[flags.ravel()], rank[flags.ravel()]), 1)
    people = counts[1].sum(axis=1)
    return [
        {
            "query_key": query_key(queries[key // len(documents)]),
            "document_id": documents[key % len(documents)],
            "shown": seen,
            "clicked": hit,
            "users": users,
            "satisfied": users // 2,
            "dissatisfied": users // 8,
        }
        for key, seen, hit, users in zip(
            keys.tolist(), counts[0].tolist(), counts[1].tolist(), people.tolist(), strict=True
        )
        if any(seen)
    ]


def store(settings: Settings, rows: list[dict[str, Any]]) -> None:
    """Write evidence as the collector does, of this week and without names behind it."""
    container = Container(settings)
    same = {
        "collection": DEFAULT_COLLECTION,
        "period": period_of(container.clock.now()),
        "nameless": False,
        "rating_sum": 0,
        "ratings": 0,
        "conversions": 0,
        "change": 1,
    }
    with transaction(container.engine) as connection:
        for start in range(0, len(rows), _AT_ONCE):
            connection.execute(sa.insert(evidence), [same | row for row in rows[start : start + _AT_ONCE]])
        connection.execute(sa.insert(counters), {"name": f"evidence:{DEFAULT_COLLECTION}", "value": 1})
    container.engine.dispose()


def _measure(server: Server, queries: list[str], seconds: float) -> float:
    """Return the median time of a search in milliseconds."""
    order = random.Random(0).sample(queries, len(queries))
    questions = Questions(order)
    options = {"log": False}
    fire(server.url, questions, options=options, clients=2, seconds=seconds / 4)
    return quantile_ms(fire(server.url, questions, options=options, clients=1, seconds=seconds).answered(), 0.5)
