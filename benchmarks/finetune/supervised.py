"""Fine-tunes on a collection's judgments and measures the encoder before and after, alone and under the adapter."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from benchmarks.harness.evaluation import DEPTH, EvaluationHarness
from clickloop.judged import JudgedLabels
from foundation.arrays import Floats
from foundation.contracts import CURVE_RANKS, Evidence, Label
from foundation.errors import Conflict
from retrainer.candidate import MakeTowerLearner
from retrainer.interchange.packing import pack_folder
from retrainer.learners.alternation import Learned, learn
from retrainer.learners.encoder.learner import EncoderLearner
from retrainer.learners.encoder.protocol import LearnedEncoder, LearnsEncoder
from retrainer.learners.encoder.tuning import TuningPlan
from retrainer.learners.reranker.learner import StudentLearner
from retrainer.learners.reranker.student import StudentPlan
from retrainer.learners.training_set import prepare_training_set
from serving.encode.bridge import Bridge
from serving.encode.embedder import StoredEmbedder
from serving.encode.encoders import Encoders
from serving.encode.form import open_encoder, pack_form, packaged_model
from serving.encode.projection import Codes
from serving.ranking.pipeline import Ranker
from simulator.collection import JudgedCollection
from simulator.quality import ndcg

_ONCE = (1.0, *(0.0,) * (CURVE_RANKS - 1))
_PRECISION = "int8"
_OTHER_PRECISION = "fp32"
_TEACHER = "teacher/model"


@dataclass(frozen=True, slots=True)
class Quality:
    """Quality on the held-out queries.

    Attributes:
        dense: nDCG@10 of the passages' vectors alone.
        reciprocal_rank: MRR@10 of the same.
        learned: nDCG@10 of everything that the fast learners make of the judgments; None where it was not asked.
    """

    dense: float
    reciprocal_rank: float
    learned: float | None = None


class Bench:
    """One machine's encoders, and what they embedded.

    Args:
        home: Shared with other benches, but for what is fine-tuned.
    """

    def __init__(self, home: Path, seed: int, tell: Callable[[str], None]) -> None:
        self._forms = home / "onnx"
        self._tuned = home / "tuned"
        self._distilled = home / "distilled"
        self._seed = seed
        self._tell = tell
        self.own = StoredEmbedder(open_encoder("", home / "onnx", _PRECISION, threads=1), home, late=False)
        self._encoders = Encoders(self.own, self._tuned, threads=1, late=False)

    def tune(self, collection: JudgedCollection, plan: TuningPlan) -> tuple[StoredEmbedder, LearnedEncoder]:
        """Return the fine-tuned encoder of a collection.

        Where it got no better, as in a few steps it may not, that is the same weights in another precision: still an
        encoder of another name, to be embedded by and swapped to.
        """
        try:
            learned = self._learn_encoder(collection, plan)
        except Conflict as no_better:
            self._tell(no_better.detail)
            other = open_encoder("", self._forms, _OTHER_PRECISION, threads=1).digest
            form = pack_form("", self._forms, _OTHER_PRECISION)
            learned = LearnedEncoder(other, form, pack_folder(packaged_model()), {"encoder_share": 0.0})
        return self._encoders.open(learned.name, lambda: learned.form), learned

    def distil(self, collection: JudgedCollection, plan: StudentPlan) -> tuple[StoredEmbedder, LearnedEncoder]:
        """Return a student of the encoder on a collection; its teacher is trained once."""
        learner = StudentLearner(
            base="",
            teacher="",
            precision=_PRECISION,
            forms=self._tuned / "onnx",
            folder=self._distilled / f"{plan.layers}-{plan.dimension}",
            plan=plan,
        )
        if not (learner.folder / _TEACHER).exists() and self.teacher.exists():
            shutil.copytree(self.teacher, learner.folder / _TEACHER)
        learned = self._ask(learner, collection)
        if not self.teacher.exists():
            shutil.copytree(learner.folder / _TEACHER, self.teacher)
        return self._encoders.open(learned.name, lambda: learned.form), learned

    @property
    def teacher(self) -> Path:
        """Folder of the cross-encoder that taught the students."""
        return self._distilled / "teacher"

    def _learn_encoder(self, collection: JudgedCollection, plan: TuningPlan) -> LearnedEncoder:
        learner = EncoderLearner(
            base="", precision=_PRECISION, forms=self._tuned / "onnx", folder=self._tuned / "training", plan=plan
        )
        return self._ask(learner, collection)

    def _ask(self, learner: LearnsEncoder, collection: JudgedCollection) -> LearnedEncoder:
        """Return what a learner makes of all labels of a collection."""
        world = self.open(collection, self.own)
        labels = [
            Label(key, name, grade / collection.max_grade, 1.0)
            for key, grades in world.asked.items()
            for name, grade in grades.items()
        ]
        queries = {key: world.query(key) for key in world.asked}
        return learner.learn(labels, world.corpus, queries, seed=self._seed, progress=self._tell)

    def open(self, collection: JudgedCollection, embedder: StoredEmbedder) -> EvaluationHarness:
        """Return a collection embedded by an encoder."""
        self._tell(f"embedding {len(collection.documents)} documents by {embedder.encoder.digest}")
        return EvaluationHarness(collection, embedder, embedder.encoder.dimension)

    def carry(self, collection: JudgedCollection, bridge: Bridge, tuned: StoredEmbedder) -> EvaluationHarness:
        """Return a collection whose queries a fine-tuned encoder reads, and whose documents are carried over to it."""
        return EvaluationHarness(collection, tuned, tuned.encoder.dimension, _Carried(bridge, self.own))

    def learn_fast(self, world: EvaluationHarness, make_tower: MakeTowerLearner | None = None) -> Learned:
        """Return what the fast learners make of a collection's judgments, and the static tower where it is asked for.

        Args:
            make_tower: Returns what learns a static tower for a corpus.
        """
        best = world.collection.max_grade
        relevance = {(key, name): grade / best for key, found in world.asked.items() for name, grade in found.items()}
        evidence = [Evidence(*pair, _ONCE, _ONCE, users=1) for pair, value in sorted(relevance.items()) if value > 0]
        training_set = prepare_training_set(evidence, world.encode)
        tower = make_tower(world.corpus) if make_tower else None
        return learn(training_set, world.corpus, JudgedLabels(relevance), self._seed, passes=1, tower=tower)

    def measure(self, world: EvaluationHarness, *, with_adapter: bool) -> Quality:
        """Return the quality of a collection under one encoder."""
        lists = {
            key: [world.corpus.name(row) for row in world.corpus.dense.search(world.query(key).vector, 5 * DEPTH)]
            for key in world.held_out
        }
        top = {key: names[:DEPTH] for key, names in lists.items()}
        ranks = [
            next((rank for rank, name in enumerate(names, 1) if world.held_out[key].get(name, 0) > 0), 0)
            for key, names in top.items()
        ]
        return Quality(
            dense=fmean(ndcg(world.held_out, top).values()),
            reciprocal_rank=fmean(1 / rank if rank else 0.0 for rank in ranks),
            learned=self._rank(world) if with_adapter else None,
        )

    def _rank(self, world: EvaluationHarness) -> float:
        self._tell("learning adapter, memory and fusion on top")
        return world.quality(Ranker(world.corpus, world.model(self.learn_fast(world), 0)), world.held_out)


@dataclass(frozen=True, slots=True)
class _Carried:
    """Embeds documents by one encoder and carries all of their vectors over to another's space."""

    bridge: Bridge
    embedder: StoredEmbedder

    def embed(self, texts: list[str]) -> Floats:
        return self.bridge.cross(self.embedder.embed(texts))

    def embed_tokens(self, texts: list[str]) -> list[Codes] | None:
        del texts
        return None


def peak_mib() -> float:
    """Return the most memory that this process had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
