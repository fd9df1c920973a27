"""The student: some layers of an encoder in fewer dimensions, which learns to say what the encoder and the teacher say.

First it imitates the encoder's vectors on the collection's own texts (Kim et al. 2023, arXiv:2301.12005), then the
distribution of the teacher over the passages of a query (Lin et al. 2020, arXiv:2010.11386). Its dimensions are the
main directions of the documents' vectors, so that the first of them say most; training keeps it so (Kusupati et al.
2022, arXiv:2205.13147).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.base.modules import Dense, Normalize
from sentence_transformers.sentence_transformer.losses import DistillKLDivLoss, EmbedDistillLoss, MatryoshkaLoss
from sentence_transformers.util import pairwise_cos_sim
from transformers import PrinterCallback

from foundation.arrays import Floats
from retrainer.learners.reranker.groups import RankedGroup
from retrainer.learners.steps import Watch, describe_steps, find_checkpoint

_SAVE_EVERY = 20
_STUDENT_TEMPERATURE = 0.05
_NARROWER = (1, 2, 4)
"""The student also learns to do with its first half and its first quarter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentPlan:
    """How large a student is, and how it is taught.

    Attributes:
        layers: Of the network; as many as the encoder has at most.
        dimension: Of its vectors, likewise.
        max_tokens: Where texts are cut in training.
        texts: Most texts whose vectors it imitates.
        epochs: How often it sees them.
        batch: Texts a step, and groups a step.
        imitation_rate: Learning rate of the imitation; `distillation_rate` that of what follows.
        limit_s: Seconds in all: a third for the teacher, the imitation and the distillation each.
    """

    layers: int = 3
    dimension: int = 384
    max_tokens: int = 128
    texts: int = 20_000
    epochs: int = 2
    batch: int = 32
    imitation_rate: float = 3e-4
    distillation_rate: float = 5e-5
    limit_s: float = 1200.0


def build_student(base: Path, layers: int, directions: Floats) -> SentenceTransformer:
    """Return some layers of an encoder, evenly spread with its first and last, and a projection of their vectors.

    Args:
        directions: Unit vectors to project on, float32 of shape (dimension, dimension of the encoder).
    """
    whole: Any = SentenceTransformer(str(base), device="cpu", local_files_only=True)
    network = whole[0].auto_model
    blocks = network.encoder.layer
    kept = sorted({round(place) for place in np.linspace(len(blocks) - 1, 0, min(layers, len(blocks)))})
    network.encoder.layer = torch.nn.ModuleList([blocks[place] for place in kept])
    network.config.num_hidden_layers = len(kept)
    dimension, width = directions.shape
    dense = Dense(width, dimension, bias=False, activation_function=torch.nn.Identity())
    with torch.no_grad():
        dense.linear.weight.copy_(torch.from_numpy(directions))
    student = SentenceTransformer(modules=[whole[0], whole[1], dense, Normalize()], device=_device())
    student.model_card_data.generate_widget_examples = False
    return student


def find_directions(vectors: Floats, dimension: int) -> Floats:
    """Return the main directions of unit vectors, the largest first, float32 of shape (dimension, their dimension)."""
    _, directions = np.linalg.eigh(vectors.T.astype(np.float64) @ vectors)
    return np.ascontiguousarray(directions[:, ::-1][:, :dimension].T, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentTrainer:
    """Teaches students.

    Attributes:
        folder: Keeps checkpoints; a training that was killed goes on.
    """

    plan: StudentPlan
    folder: Path
    seed: int
    progress: Callable[[str], None]

    def imitate(self, student: SentenceTransformer, texts: Sequence[str], vectors: Floats) -> None:
        """Teach a student to give texts the vectors that they have, float32 of shape (len(texts), its dimension)."""
        order = self._order(len(texts))
        columns = {"text": [texts[place] for place in order], "label": [vectors[place].tolist() for place in order]}
        loss = EmbedDistillLoss(student, distance_metric="cosine")
        self._train(student, columns, loss, "imitation", self.plan.imitation_rate)

    def distil(self, student: SentenceTransformer, groups: Sequence[RankedGroup], scores: Floats) -> None:
        """Teach a student the distribution of a teacher's scores over the passages of each group."""
        order = self._order(len(groups))
        columns: dict[str, list[Any]] = {"query": [groups[place].query for place in order]}
        for number in range(scores.shape[1]):
            columns[f"passage_{number}"] = [groups[place].passages[number] for place in order]
        columns["label"] = [scores[place].tolist() for place in order]
        loss = DistillKLDivLoss(student, similarity_fct=pairwise_cos_sim, student_temperature=_STUDENT_TEMPERATURE)
        widths = sorted({max(1, self.plan.dimension // narrower) for narrower in _NARROWER}, reverse=True)
        nested = MatryoshkaLoss(student, loss, matryoshka_dims=widths)
        self._train(student, columns, nested, "distillation", self.plan.distillation_rate)

    def _order(self, count: int) -> list[int]:
        random = np.random.default_rng(self.seed)
        order: list[int] = random.permutation(np.tile(np.arange(count), self.plan.epochs)).tolist()
        return order

    def _train(
        self, student: SentenceTransformer, columns: dict[str, Any], loss: torch.nn.Module, what: str, rate: float
    ) -> None:
        length, student.max_seq_length = student.max_seq_length, self.plan.max_tokens
        place = self.folder / what
        pace = describe_steps(place, batch=self.plan.batch, learning_rate=rate, save_every=_SAVE_EVERY, seed=self.seed)
        trainer = SentenceTransformerTrainer(
            model=student,
            args=SentenceTransformerTrainingArguments(**pace),
            train_dataset=Dataset.from_dict(columns),
            loss=loss,
            callbacks=[Watch(what, self.plan.batch, self.plan.limit_s / 3, self.progress)],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=find_checkpoint(place))
        student.max_seq_length = length


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"
