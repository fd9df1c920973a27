"""Bars 1 and 6: nDCG@10 on held-out queries of judged collections, beside the systems it is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.report import Bar, at_least
from bench.search.recipe import remember
from clickloop.compare.measures import measure
from clickloop.compare.systems import Systems
from clickloop.parts import Parts
from foundation.settings import Settings
from simulator.collection import JudgedCollection, read_beir

COLLECTIONS = ("libreoffice_help", "postgresql_docs", "banking77", "scifact", "chorus_electronics")
SYSTEMS = ("bm25", "dense", "rrf", "hybrid", "rerank")
_DEPTH = 100
_TOLERANCE = 0.005
_MEASURE = "nDCG@10"


def measure_quality(data: Path, settings: Settings) -> tuple[list[Bar], dict[str, Any]]:
    """Return the quality of every system on every collection that is there, and of the tutorial's recipe."""
    parts = Parts(settings)
    bars: list[Bar] = []
    table: dict[str, Any] = {}
    for name in COLLECTIONS:
        if not (data / name).exists():
            continue
        found = _judge(parts, read_beir(data / name), Path(settings.home) / "recipe" / f"{name}.npy")
        table[name] = {system: round(value, 4) for system, value in found.items()}
        floor = max(found["bm25"], found["dense"]) - _TOLERANCE
        ours = f"{_MEASURE} on {name}, held-out queries"
        bars.append(
            at_least("search.6", f"{ours}, hybrid, better of BM25 and dense less 0.005", found["hybrid"], floor)
        )
        bars.append(
            at_least("search.6", f"{ours}, rerank, better of BM25 and dense less 0.005", found["rerank"], floor)
        )
        bars.append(at_least("search.1", f"{ours}, hybrid, the tutorial's recipe", found["hybrid"], found["recipe"]))
    parts.engine.dispose()
    return bars, table


def _judge(parts: Parts, collection: JudgedCollection, kept: Path) -> dict[str, float]:
    judgments = collection.split("test")
    queries = {query: collection.queries[query] for query in judgments}
    systems = Systems(parts, collection, _DEPTH, late=True)
    runs = {system: systems.rank(system, queries) for system in SYSTEMS}
    recipe = remember(collection.documents, kept)
    runs["recipe"] = {query: recipe.search(text) for query, text in queries.items()}
    return {system: measure(judgments, run).means[_MEASURE] for system, run in runs.items()}
