"""The student: how good smaller encoders are beside their encoder and teacher, and how fast they read documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from time import process_time
from typing import Any

import numpy as np
from sentence_transformers import CrossEncoder

from benchmarks.finetune.collections import ask_fewer, read_collections
from benchmarks.finetune.supervised import Bench
from benchmarks.harness.evaluation import DEPTH, EvaluationHarness
from benchmarks.harness.report import Findings, at_least, at_most
from benchmarks.harness.server import bench_settings
from clickloop.pictures import CurvePoint, draw_curve
from foundation.arrays import Floats
from foundation.contracts import Document
from foundation.disk.files import write_whole
from retrainer.learners.encoder.protocol import LearnedEncoder
from retrainer.learners.reranker.student import StudentPlan
from serving.encode.embedder import StoredEmbedder
from serving.encode.encoder import Encoder
from serving.encode.projection import Codes
from serving.index.passages import split_passages
from simulator.collection import JudgedCollection
from simulator.quality import ndcg

_LAYERS = (4, 3, 2)
_QUICK_LAYERS = (3,)
_QUICK_LIMIT_S = 6.0
_QUERIES = 1500
_TIMED = 200
_RERANKED = 20
_RERANKED_QUERIES = 100
_MIN_FASTER = 2.0
_MAX_LOSS = 0.01


@dataclass(frozen=True, slots=True)
class MeasuredEncoder:
    """One encoder on the held-out queries.

    Attributes:
        dev: MRR@10 on queries kept aside in training, which it is chosen by.
        quality: nDCG@10 of its vectors alone, by dimension.
        rate: Documents a second of processor time, one by one.
    """

    name: str
    dev: float
    quality: dict[int, float]
    rate: float


def measure(
    data: Path | None, minutes: float, seed: int, quick: bool, tell: Callable[[str], None], pictures: Path | None
) -> Findings:
    """Return the bars of the student, on the first collection that is there.

    Args:
        minutes: Most minutes of training a student.
        pictures: Folder that gets the curve of quality over cost.
    """
    name, whole = next(iter(read_collections(data, quick).items()))
    collection = ask_fewer(whole, _QUERIES)
    layers, limit_s = (_QUICK_LAYERS, _QUICK_LIMIT_S) if quick else (_LAYERS, 60 * minutes)
    with bench_settings(encoder_threads=1) as settings:
        bench = Bench(settings.home, seed, tell)
        own = bench.open(collection, bench.own)
        encoder = _measure_one(bench, collection, "encoder", bench.own, 0.0)
        students: list[MeasuredEncoder] = []
        lineage: dict[str, Any] = {}
        for count in layers:
            plan = StudentPlan(layers=count, dimension=bench.own.encoder.dimension, limit_s=limit_s)
            embedder, learned = bench.distil(collection, plan)
            lineage[f"{count} layers"] = learned.lineage
            students.append(_measure_one(bench, collection, f"{count} layers", embedder, _dev(learned)))
        tell("the teacher ranks what the encoder found")
        teacher = _rank_by_teacher(own, bench.teacher)
    if pictures is not None:
        write_whole(pictures / "student.svg", _draw(name, encoder, students).encode())
    return Findings(_bars(name, encoder, students), _tell(encoder, students, teacher, lineage))


def _bars(name: str, encoder: MeasuredEncoder, students: Sequence[MeasuredEncoder]) -> list[Any]:
    fast = [one for one in students if one.rate >= _MIN_FASTER * encoder.rate]
    chosen = max(fast or students, key=lambda one: one.dev)
    width = max(encoder.quality)
    what = f"the student with {chosen.name}, {name}"
    return [
        at_least("finetune.5", f"documents a second, by the encoder's, of {what}", chosen.rate / encoder.rate, 2.0),
        at_most("finetune.5", f"nDCG@10 lost by {what}", encoder.quality[width] - chosen.quality[width], _MAX_LOSS),
    ]


def _tell(
    encoder: MeasuredEncoder, students: Sequence[MeasuredEncoder], teacher: dict[str, float], lineage: dict[str, Any]
) -> dict[str, Any]:
    rows = [
        {
            "encoder": one.name,
            "documents a second": round(one.rate, 1),
            "nDCG@10 by dimension": {width: round(value, 4) for width, value in one.quality.items()},
            "MRR@10 kept aside": one.dev,
        }
        for one in (encoder, *students)
    ]
    return {"encoders": rows, "teacher": teacher, "training of students": lineage}


def _dev(learned: LearnedEncoder) -> float:
    return float(learned.lineage["encoder_mrr"])


def _measure_one(
    bench: Bench, collection: JudgedCollection, name: str, embedder: StoredEmbedder, dev: float
) -> MeasuredEncoder:
    width = embedder.encoder.dimension
    quality = {}
    for dimension in (width, width // 2, width // 4):
        narrow = _Narrow(embedder, dimension)
        world = EvaluationHarness(collection, narrow, dimension)
        quality[dimension] = bench.measure(world, with_adapter=False).dense
    return MeasuredEncoder(name, dev, quality, _time(embedder.encoder, collection))


def _time(encoder: Encoder, collection: JudgedCollection) -> float:
    """Return how many documents an encoder reads in a second of processor time."""
    documents = [Document(one["id"], one["title"], one["text"]) for one in collection.documents[:_TIMED]]
    passages = [split_passages(document.title, document.text) for document in documents]
    began_s = process_time()
    for texts in passages:
        encoder.encode(texts)
    return len(documents) / (process_time() - began_s)


@dataclass(frozen=True, slots=True)
class _Narrow:
    """The first dimensions of an encoder's vectors."""

    embedder: StoredEmbedder
    dimension: int

    def embed(self, texts: list[str]) -> Floats:
        vectors = self.embedder.embed(texts)[:, : self.dimension]
        unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return unit

    def embed_tokens(self, texts: list[str]) -> list[Codes] | None:
        del texts
        return None


def _rank_by_teacher(world: EvaluationHarness, folder: Path) -> dict[str, float]:
    """Return nDCG@10 of some held-out queries as the encoder orders its best documents, and as the teacher does."""
    teacher = CrossEncoder(str(folder), local_files_only=True)
    asked = sorted(world.held_out)[:_RERANKED_QUERIES]
    before, after = {}, {}
    for key in asked:
        rows = world.corpus.dense.search(world.query(key).vector, 5 * _RERANKED)[:_RERANKED]
        names = [world.corpus.name(row) for row in rows]
        texts = [_best_passage(world, row, world.query(key).vector) for row in rows]
        scores = teacher.predict([(key, text) for text in texts], show_progress_bar=False)
        before[key] = names[:DEPTH]
        after[key] = [names[place] for place in np.argsort(-np.asarray(scores), kind="stable").tolist()][:DEPTH]
    return {
        "queries": len(asked),
        "nDCG@10 as the encoder orders": round(fmean(ndcg(world.held_out, before).values()), 4),
        "nDCG@10 as the teacher orders": round(fmean(ndcg(world.held_out, after).values()), 4),
    }


def _best_passage(world: EvaluationHarness, row: int, vector: Floats) -> str:
    document = world.corpus.document(row)
    passages = split_passages(document.title, document.text)
    return passages[int(np.argmax(world.corpus.nearness([row], vector)[0]))]


def _draw(name: str, encoder: MeasuredEncoder, students: Sequence[MeasuredEncoder]) -> str:
    """Return the curve of quality over cost, which is milliseconds a document."""
    found = sorted((*students, encoder), key=lambda one: -one.rate)
    width = max(encoder.quality)
    points = [CurvePoint(one.name, 1000 / one.rate, one.quality[width]) for one in found]
    return draw_curve(
        f"Smaller encoders, {name}",
        points,
        across="milliseconds of processor time a document",
        up="nDCG@10 by vectors alone",
    )
