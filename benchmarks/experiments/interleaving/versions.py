"""Pairs of versions whose difference is known by judgments: production, and what was made beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.experiments.interleaving.searches import DEPTH
from benchmarks.harness.evaluation import EvaluationHarness, open_harness
from benchmarks.harness.fixtures import get_collection
from benchmarks.learning.pairs import Cell, collect_evidence
from benchmarks.learning.worlds import take_part
from collector.click_models.labels import label
from foundation.contracts import query_key
from foundation.settings import Settings
from retrainer.learners.alternation import learn
from retrainer.learners.training_set import prepare_training_set
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from simulator.collection import JudgedCollection
from simulator.quality import ndcg
from simulator.traffic import Traffic

COLLECTIONS = ("banking77", "libreoffice_help", "postgresql_docs", "scifact")
CLICKS = (600, 3000)
PAIRS_EACH = 3
DOCUMENTS, QUERIES = 300, 300
VISITS = 800
"""Visits whose queries stand for the traffic."""

_FIRST_VISIT = 1_000_000
"""None that a version learned from; they ask the same popular queries."""


@dataclass(frozen=True, slots=True)
class VersionPair:
    """Two versions, as the visits of a collection see them.

    Attributes:
        lists: The ranked documents of both, production first, visit by visit.
        grades: Grades by document, visit by visit.
        truth: Mean change of nDCG@10 over the visits.
    """

    name: str
    lists: list[tuple[list[str], list[str]]]
    grades: list[dict[str, int]]
    max_grade: int
    truth: float


def make_pairs(data: Path | None, seed: int, quick: bool) -> Iterator[VersionPair]:
    """Yield three pairs for each of four collections, one collection if quick; a version that ranks alike is no pair.

    Args:
        data: Folder with `COLLECTIONS` in BEIR form; four parts of the docstrings without one.
    """
    worlds = COLLECTIONS[:1] if quick else COLLECTIONS
    for number, name in enumerate(worlds):
        whole = get_collection(data / name if data else None, quick and data is None)
        part = _with_fewer_queries(take_part(whole, DOCUMENTS, seed + number), seed + number)
        told = name if data else f"docstrings {number + 1}"
        yield from islice(_pairs_of(told, part, seed + number), PAIRS_EACH)


def _with_fewer_queries(collection: JudgedCollection, seed: int) -> JudgedCollection:
    random = np.random.default_rng(seed)
    qrels = {
        split: {query: judgments[query] for query in random.permutation(sorted(judgments))[:QUERIES].tolist()}
        for split, judgments in collection.qrels.items()
    }
    return replace(collection, qrels=qrels)


def _pairs_of(name: str, collection: JudgedCollection, seed: int) -> Iterator[VersionPair]:
    harness, traffic = open_harness(collection, Settings()), Traffic(collection, seed)
    asked = (traffic.visit(number) for number in range(_FIRST_VISIT, _FIRST_VISIT + VISITS))
    keys = [query_key(collection.queries[visit.query_id]) for visit in asked]
    production = _rank(harness, harness.untaught(), keys)
    before = ndcg(harness.asked, production)
    for made, model in _versions(harness, seed):
        ranked = _rank(harness, model, keys)
        if ranked == production:
            continue
        after = ndcg(harness.asked, ranked)
        yield VersionPair(
            name=f"{name}, {made}",
            lists=[(production[key], ranked[key]) for key in keys],
            grades=[harness.asked.get(key, {}) for key in keys],
            max_grade=collection.max_grade,
            truth=float(np.mean([after[key] - before[key] for key in keys])),
        )


def _versions(harness: EvaluationHarness, seed: int) -> Iterator[tuple[str, RankingModel]]:
    """Yield versions learned from what users who trust ranks clicked, and those that rank by one part alone."""
    for clicks in CLICKS:
        cell = Cell("trust", clicks, queries=0, seed=seed)
        evidence = collect_evidence(harness, harness.untaught(), cell, seed)
        learned = learn(prepare_training_set(evidence, harness.encode), harness.corpus, label, seed)
        yield f"learned from {clicks:,} clicks", harness.model(learned, 0)
    for part, feature in (("words", "bm25_share"), ("meaning", "dense_share")):
        yield f"{part} alone", replace(harness.untaught(), fusion="linear", weights={feature: 10.0})


def _rank(harness: EvaluationHarness, model: RankingModel, keys: Iterable[str]) -> dict[str, list[str]]:
    ranker = Ranker(harness.corpus, model)
    return {
        key: [hit.document_id for hit in ranker.search(harness.query(key), DEPTH).hits] for key in sorted(set(keys))
    }
