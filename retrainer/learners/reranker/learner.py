"""Learns a smaller encoder for a collection: teacher, student, and the form in which that serves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer

from foundation.arrays import Floats
from foundation.clock import monotonic_s
from foundation.contracts import Label
from foundation.errors import Conflict
from retrainer.learners.encoder.merging import measure_reciprocal_rank
from retrainer.learners.encoder.pairs import TrainingPair, hold_out
from retrainer.learners.encoder.protocol import LearnedEncoder
from retrainer.learners.encoder.serving_form import export_encoder
from retrainer.learners.reranker.groups import RankedGroup, make_groups
from retrainer.learners.reranker.student import StudentPlan, StudentTrainer, build_student, find_directions
from retrainer.learners.reranker.teacher import reciprocal_rank, score_groups, train_teacher
from retrainer.learners.steps import keep_begun, silence
from serving.encode.form import packaged_model
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.index.passages import split_passages

MIN_GROUPS = 32
"""Fewer answers teach a cross-encoder nothing."""

MIN_HELD_OUT = 4
_TEACHER_TOKENS = 192
_GROUPS = "groups.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentLearner:
    """Distils a student of the encoder of the settings.

    Attributes:
        base: Folder of the encoder to start from; the packaged one when empty.
        teacher: Folder of the network that the teacher starts from; that of the encoder when empty.
        precision: Of the form that serves.
        forms: Keeps exported forms.
        folder: Keeps what a training has reached. A training that is given the same folder goes on with the groups
            that it began with.
    """

    base: str
    teacher: str
    precision: str
    forms: Path
    folder: Path
    plan: StudentPlan

    @silence()
    def learn(
        self,
        labels: list[Label],
        corpus: Corpus,
        queries: dict[str, Query],
        *,
        seed: int,
        progress: Callable[[str], None],
    ) -> LearnedEncoder:
        """Return the student that labels and the encoder teach; see `LearnsEncoder.learn`."""
        began_s = monotonic_s()
        base = Path(self.base) if self.base else packaged_model()
        groups = keep_begun(self.folder / _GROUPS, RankedGroup, partial(make_groups, labels, corpus, queries, seed))
        held = hold_out({group.query for group in groups}, queries.values())
        learned = [group for group in groups if group.query not in held]
        kept_aside = [group for group in groups if group.query in held]
        if len(learned) < MIN_GROUPS or len(kept_aside) < MIN_HELD_OUT:
            raise Conflict(
                f"{len(groups)} answers with documents beside them are known, {len(kept_aside)} of them to be kept "
                f"aside; a teacher needs {MIN_GROUPS} and {MIN_HELD_OUT}"
            )
        teacher = train_teacher(
            Path(self.teacher) if self.teacher else base,
            learned,
            folder=self.folder / "teacher",
            max_tokens=_TEACHER_TOKENS,
            limit_s=self.plan.limit_s / 3,
            seed=seed,
            progress=progress,
        )
        progress("distillation: the teacher ranks")
        scores = score_groups(teacher, learned)
        known = reciprocal_rank(score_groups(teacher, kept_aside))
        student = self._teach(base, corpus, learned, scores, seed, progress)
        before = SentenceTransformer(str(base), local_files_only=True)
        lineage = self._tell(base, learned) | {
            "teacher_mrr": round(known, 4),
            "encoder_mrr_of_groups": round(reciprocal_rank(_compare(before, kept_aside)), 4),
            "student_mrr_of_groups": round(reciprocal_rank(_compare(student, kept_aside)), 4),
            "encoder_mrr_before": round(_judge(before, kept_aside, learned), 4),
            "encoder_mrr": round(_judge(student, kept_aside, learned), 4),
            "encoder_seconds": round(monotonic_s() - began_s, 1),
        }
        student.save_pretrained(str(self.folder / "model"), create_model_card=False)
        progress("distillation: exporting the student")
        texts = [group.passages[0] for group in kept_aside]
        return export_encoder(self.folder / "model", texts, forms=self.forms, precision=self.precision, lineage=lineage)

    def _teach(
        self,
        base: Path,
        corpus: Corpus,
        groups: list[RankedGroup],
        scores: Floats,
        seed: int,
        progress: Callable[[str], None],
    ) -> SentenceTransformer:
        texts = _draw_texts(corpus, groups, self.plan.texts, seed)
        progress(f"imitation: {len(texts)} texts")
        encoder = SentenceTransformer(str(base), local_files_only=True)
        vectors = _encode(encoder, texts)
        directions = find_directions(vectors, self.plan.dimension)
        student = build_student(base, self.plan.layers, directions)
        trainer = StudentTrainer(plan=self.plan, folder=self.folder, seed=seed, progress=progress)
        trainer.imitate(student, texts, vectors @ directions.T)
        trainer.distil(student, groups, scores)
        return student

    def _tell(self, base: Path, groups: Sequence[RankedGroup]) -> dict[str, Any]:
        return {
            "learners": "student",
            "encoder_base": base.name if self.base else "packaged",
            "encoder_pairs": len(groups),
            "student_layers": self.plan.layers,
            "student_dimension": self.plan.dimension,
        }


def _draw_texts(corpus: Corpus, groups: Sequence[RankedGroup], most: int, seed: int) -> list[str]:
    """Return queries and passages of a collection, at most so many, drawn at random."""
    texts = dict.fromkeys(group.query for group in groups)
    for name in corpus.ids():
        row = corpus.row(name)
        if row is not None:
            document = corpus.document(row)
            texts.update(dict.fromkeys(split_passages(document.title, document.text)))
    order = np.random.default_rng(seed).permutation(len(texts))[:most]
    found = list(texts)
    return [found[place] for place in sorted(order.tolist())]


def _compare(encoder: SentenceTransformer, groups: Sequence[RankedGroup]) -> Floats:
    """Return what an encoder says of every passage of groups, float32 of shape (groups, passages)."""
    texts = [text for group in groups for text in (group.query, *group.passages)]
    vectors = _encode(encoder, texts)
    by_group = vectors.reshape(len(groups), -1, vectors.shape[1])
    cosines: Floats = np.einsum("gd,gpd->gp", by_group[:, 0], by_group[:, 1:])
    return cosines


def _judge(encoder: SentenceTransformer, held: Sequence[RankedGroup], learned: Sequence[RankedGroup]) -> float:
    """Return MRR@10 of held-out queries as fine-tuning measures it."""
    return measure_reciprocal_rank(partial(_encode, encoder), _as_pairs(held), _as_pairs(learned))


def _encode(encoder: SentenceTransformer, texts: list[str]) -> Floats:
    vectors: Floats = encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    return vectors


def _as_pairs(groups: Sequence[RankedGroup]) -> list[TrainingPair]:
    return [TrainingPair(group.query, group.passages[0], group.relevance, group.passages[1]) for group in groups]
