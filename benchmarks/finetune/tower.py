"""The static tower: what it adds to the fast learners by full labels, what it costs, and how fast documents follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks.finetune.collections import read_collections
from benchmarks.finetune.supervised import Bench
from benchmarks.harness.evaluation import DEPTH, EvaluationHarness
from benchmarks.harness.report import Bar, Findings, at_least, at_most
from benchmarks.harness.server import bench_settings
from benchmarks.search.articles import grow, read_sources
from foundation.clock import monotonic_s
from foundation.contracts import Document
from retrainer.learners.adapter import Judgments
from retrainer.learners.tower.learner import TowerLearner
from serving.encode.form import packaged_model
from serving.ranking.pipeline import Ranker
from serving.ranking.tower.pieces import text_of
from serving.ranking.tower.static_tower import StaticTower
from simulator.collection import JudgedCollection
from simulator.quality import ndcg

_ARTICLES = 100_000
_QUICK_ARTICLES = 2000
_MAX_EMBED_S = 240.0
_MAX_LOSS = -0.005


@dataclass(frozen=True, slots=True)
class MeasuredTower:
    """What a static tower did for one collection.

    Attributes:
        tower: One that learned from all labels.
        gained: nDCG@10 on the held-out queries, beside the fast learners alone.
    """

    tower: StaticTower
    gained: float
    details: dict[str, Any]


def measure(data: Path | None, seed: int, quick: bool, tell: Callable[[str], None]) -> Findings:
    """Return the bars of the static tower."""
    collections = read_collections(data, quick)
    with bench_settings(encoder_threads=1) as settings:
        bench = Bench(settings.home, seed, tell)
        found = {name: _measure_one(bench, collection, seed, tell) for name, collection in collections.items()}
    bars = [
        at_least("finetune.1", f"nDCG@10 gained by the static tower, {name}", one.gained, _MAX_LOSS)
        for name, one in found.items()
    ]
    documents = [document for collection in collections.values() for document in collection.documents]
    bars.append(_embed_articles(list(found.values())[-1].tower, documents, seed, quick, tell))
    return Findings(bars, {f"static tower on {name}": one.details for name, one in found.items()})


def _measure_one(bench: Bench, collection: JudgedCollection, seed: int, tell: Callable[[str], None]) -> MeasuredTower:
    make = partial(TowerLearner, packaged_model())
    world = bench.open(collection, bench.own)
    tell("learning without the tower, with it, and the tower alone")
    started_s = monotonic_s()
    plain = bench.learn_fast(world)
    plain_s = monotonic_s()
    learned = bench.learn_fast(world, make)
    learned_s = monotonic_s()
    tower = make(world.corpus).learn(_judge(world), seed)
    alone_s = monotonic_s()
    before, after = (
        world.quality(Ranker(world.corpus, world.model(one, 0)), world.held_out) for one in (plain, learned)
    )
    details = {
        "kept": learned.tower is not None,
        "nDCG@10 without": round(before, 4),
        "nDCG@10 with": round(after, 4),
        "nDCG@10 alone, untaught": round(_alone(world, make(world.corpus).learn(_nothing(world), seed)), 4),
        "nDCG@10 alone": round(_alone(world, tower), 4),
        "seconds without": round(plain_s - started_s, 1),
        "seconds with": round(learned_s - plain_s, 1),
        "seconds of one tower": round(alone_s - learned_s, 1),
    }
    return MeasuredTower(tower, after - before, details)


def _judge(world: EvaluationHarness) -> Judgments:
    """Return all labels of a collection as a learner takes them."""
    number = {name: place for place, name in enumerate(world.corpus.ids())}
    keys = sorted(world.asked)
    pairs = [
        (place, number[name], grade / world.collection.max_grade)
        for place, key in enumerate(keys)
        for name, grade in world.asked[key].items()
        if grade > 0
    ]
    query, document, relevance = zip(*pairs, strict=True)
    return Judgments(
        queries=world.encode(keys),
        weights=np.ones(len(keys), np.float32),
        query=np.array(query, np.int64),
        document=np.array(document, np.int64),
        relevance=np.array(relevance, np.float32),
        keys=tuple(keys),
    )


def _nothing(world: EvaluationHarness) -> Judgments:
    """Return no label at all."""
    whole, none = _judge(world), np.zeros(0, np.int64)
    return Judgments(whole.queries[:0], whole.weights[:0], none, none, whole.relevance[:0])


def _alone(world: EvaluationHarness, tower: StaticTower) -> float:
    """Return nDCG@10 on the held-out queries when nothing but the tower ranks."""
    over = tower.over(world.corpus)
    found = {key: over.search(over.read(world.query(key)), None)[:DEPTH] for key in world.held_out}
    tops = {key: [world.corpus.name(row) for row in rows] for key, rows in found.items()}
    return fmean(ndcg(world.held_out, tops).values())


def _embed_articles(
    tower: StaticTower, documents: list[dict[str, Any]], seed: int, quick: bool, tell: Callable[[str], None]
) -> Bar:
    """Return how long a tower takes to embed articles of 160 words and to be written as an artifact."""
    count = _QUICK_ARTICLES if quick else _ARTICLES
    tell(f"growing {count} articles")
    articles = [Document(one["id"], one["title"], one["text"]) for one in grow(read_sources(documents), count, seed)]
    began_s = monotonic_s()
    vectors = tower.encode([text_of(article) for article in articles])
    tower.with_documents([article.id for article in articles], np.arange(count), vectors).to_bytes()
    what = f"seconds of {count} documents embedded again by the static tower"
    return at_most("finetune.6", what, monotonic_s() - began_s, _MAX_EMBED_S)
