"""Bars 1 and 6: nDCG@10 on held-out queries of judged collections, beside the systems it is made of."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.harness.report import Bar, at_least
from benchmarks.search.recipes.tutorial import remember
from benchmarks.search.typos import accent, slip_once
from clickloop.container import Container
from clickloop.evaluation.measures import Measured, compare_all, measure
from clickloop.evaluation.systems import Systems
from foundation.settings import Settings
from simulator.collection import JudgedCollection, read_beir

COLLECTIONS = ("libreoffice_help", "postgresql_docs", "banking77", "scifact", "chorus_electronics")
SYSTEMS = ("bm25", "dense", "rrf", "hybrid", "rerank")
BEFORE = {
    "libreoffice_help": 0.6600,
    "postgresql_docs": 0.5074,
    "banking77": 0.8800,
    "scifact": 0.7261,
    "chorus_electronics": 0.5850,
}
"""nDCG@10 of the hybrid before scores became those of the collection."""

VARIANTS: Mapping[str, Callable[[str, random.Random], str]] = {
    "hybrid with a slip": lambda text, rng: slip_once(text, rng) or text,
    "hybrid with an accent": accent,
}
"""How the same queries are typed otherwise."""

KEPT = 0.97
_DEPTH = 100
_TOLERANCE = 0.005
_MEASURE = "nDCG@10"
_PAIRS = (("hybrid", "recipe"), ("rerank", "hybrid"), ("hybrid", "bm25"), ("hybrid", "dense"))


def measure_quality(data: Path, settings: Settings) -> tuple[list[Bar], dict[str, Any]]:
    """Return the quality of every system on every collection that is there, and of the tutorial's recipe.

    Details add by how much one leads the other on the same queries, where that is more than chance.
    """
    container = Container(settings)
    bars: list[Bar] = []
    table: dict[str, Any] = {}
    for name in COLLECTIONS:
        if not (data / name).exists():
            continue
        measured = _judge(container, read_beir(data / name), Path(settings.home) / "recipe" / f"{name}.npy")
        found = {system: one.means[_MEASURE] for system, one in measured.items()}
        table[name] = {system: round(value, 4) for system, value in found.items()}
        table[name] |= {f"{one} less {other}": _lead(measured, one, other) for one, other in _PAIRS}
        floor = max(found["bm25"], found["dense"]) - _TOLERANCE
        ours = f"{_MEASURE} on {name}, held-out queries"
        bars.append(
            at_least("search.6", f"{ours}, hybrid, better of BM25 and dense less 0.005", found["hybrid"], floor)
        )
        bars.append(
            at_least("search.6", f"{ours}, rerank, better of BM25 and dense less 0.005", found["rerank"], floor)
        )
        bars.append(at_least("search.6", f"{ours}, hybrid, as of 2026-11", found["hybrid"], BEFORE[name]))
        bars += [
            at_least(
                "search.6", f"{ours}, {variant}, share of the right spelling's", found[variant] / found["hybrid"], KEPT
            )
            for variant in VARIANTS
        ]
        bars.append(at_least("search.1", f"{ours}, hybrid, the tutorial's recipe", found["hybrid"], found["recipe"]))
    container.engine.dispose()
    return bars, table


def _lead(measured: Mapping[str, Measured], one: str, other: str) -> str:
    """Return the gain of one system over another with its paired 95% interval and p-value."""
    (pair,) = compare_all({one: measured[one], other: measured[other]}, seed=0)
    sign = 1 if pair.first == one else -1
    low, high = sorted((sign * pair.low, sign * pair.high))
    return f"{sign * pair.gain:+.4f} (95% {low:+.4f} to {high:+.4f}, p {pair.p_value:.4f})"


def _judge(container: Container, collection: JudgedCollection, kept: Path) -> dict[str, Measured]:
    judgments = collection.split("test")
    queries = {query: collection.queries[query] for query in judgments}
    systems = Systems(container, collection, _DEPTH, late=True)
    runs = {system: systems.rank(system, queries) for system in SYSTEMS}
    runs |= {
        variant: systems.rank("hybrid", {query: vary(text, random.Random(query)) for query, text in queries.items()})
        for variant, vary in VARIANTS.items()
    }
    recipe = remember(collection.documents, kept)
    runs["recipe"] = {query: recipe.search(text) for query, text in queries.items()}
    return {system: measure(judgments, run) for system, run in runs.items()}
