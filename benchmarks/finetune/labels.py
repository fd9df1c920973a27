"""Full labels: what each learner reaches on each collection when every query that people may ask is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.finetune.collections import read_collections
from benchmarks.finetune.supervised import Bench, peak_mib
from benchmarks.harness.evaluation import DEPTH, EvaluationHarness
from benchmarks.harness.report import Bar, Findings, at_least
from benchmarks.harness.server import bench_settings
from foundation.clock import monotonic_s
from retrainer.learners.encoder.tuning import TuningPlan
from retrainer.learners.tower.learner import TowerLearner
from serving.encode.form import packaged_model
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from simulator.collection import JudgedCollection
from simulator.quality import ndcg

NAMES = ("banking77", "libreoffice_help", "postgresql_docs", "scifact", "chorus_electronics")
_BOUNDS = {"banking77": ("MRR@10", 0.965), "libreoffice_help": ("nDCG@10", 0.86), "postgresql_docs": ("nDCG@10", 0.82)}
_QUICK_PLAN = TuningPlan(batch=16, learning_rate=1e-4, limit_s=2.0)


@dataclass(frozen=True, slots=True)
class Reached:
    """What one set of learners reached on the held-out queries of one collection.

    Attributes:
        seconds: Of training; embedding excepted.
    """

    learners: str
    ndcg: float
    reciprocal_rank: float
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        figures = {"nDCG@10": round(self.ndcg, 4), "MRR@10": round(self.reciprocal_rank, 4)}
        return {"learners": self.learners, **figures, "seconds": round(self.seconds, 1)}


def measure(data: Path | None, minutes: float, seed: int, quick: bool, tell: Callable[[str], None]) -> Findings:
    """Return the bars of full labels: the best of all learners, one a collection that has a bound.

    Args:
        minutes: Most minutes of fine-tuning an encoder, which takes most of the time; 0 leaves it as it is.
    """
    bars: list[Bar] = []
    details: dict[str, Any] = {}
    plan = _QUICK_PLAN if quick else TuningPlan(limit_s=60 * minutes)
    for name, collection in read_collections(data, quick, NAMES).items():
        with bench_settings(encoder_threads=1) as settings:
            rows = _measure_one(Bench(settings.home, seed, tell), collection, plan if minutes else None, tell)
        details[f"full labels, {name}"] = [row.to_json() for row in rows] + [{"peak MiB": round(peak_mib())}]
        if name in _BOUNDS:
            figure, bound = _BOUNDS[name]
            best = max(row.reciprocal_rank if figure == "MRR@10" else row.ndcg for row in rows)
            bars.append(at_least("finetune.1", f"{figure} by full labels, {name}", best, bound))
    return Findings(bars, details)


def _measure_one(
    bench: Bench, collection: JudgedCollection, plan: TuningPlan | None, tell: Callable[[str], None]
) -> list[Reached]:
    world = bench.open(collection, bench.own)
    rows = [_rank("production", world, world.untaught(), 0.0), *_learn_fast(bench, world, "", tell)]
    if plan is not None:
        began_s = monotonic_s()
        embedder, found = bench.tune(collection, plan)
        seconds = monotonic_s() - began_s
        tuned = f"encoder ({found.lineage['encoder_share']:.0%} of its new weights), "
        after = bench.open(collection, embedder)
        rows += [replace(row, seconds=row.seconds + seconds) for row in _learn_fast(bench, after, tuned, tell)]
    return rows


def _learn_fast(bench: Bench, world: EvaluationHarness, before: str, tell: Callable[[str], None]) -> list[Reached]:
    """Return what the fast learners reach, then with a static tower.

    Args:
        before: The learners of the encoder that the world is embedded by.
    """
    rows = []
    for name, make in (("fast", None), ("tower, fast", partial(TowerLearner, packaged_model()))):
        tell(f"{before}{name}")
        began_s = monotonic_s()
        learned = bench.learn_fast(world, make)
        rows.append(_rank(before + name, world, world.model(learned, 0), monotonic_s() - began_s))
    return rows


def _rank(learners: str, world: EvaluationHarness, model: RankingModel, seconds: float) -> Reached:
    """Return what a ranking reaches on the held-out queries."""
    ranker = Ranker(world.corpus, model)
    lists = {key: [hit.document_id for hit in ranker.search(world.query(key), DEPTH).hits] for key in world.held_out}
    ranks = [
        next((rank for rank, name in enumerate(names, 1) if world.held_out[key].get(name, 0) > 0), 0)
        for key, names in lists.items()
    ]
    return Reached(
        learners,
        fmean(ndcg(world.held_out, lists).values()),
        fmean(1 / rank if rank else 0.0 for rank in ranks),
        seconds,
    )
