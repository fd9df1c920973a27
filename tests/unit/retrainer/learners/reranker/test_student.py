"""A student is smaller, begins as a projection of its encoder, and learns to say what that says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from foundation.arrays import Floats
from retrainer.learners.reranker.groups import OTHERS, RankedGroup
from retrainer.learners.reranker.student import StudentPlan, StudentTrainer, build_student, find_directions
from tests.small_transformer import DIMENSION, make_small_transformer

pytestmark = pytest.mark.usefixtures("one_thread")

TEXTS = [f"{one} {other}" for one in ("red", "blue", "green", "flat") for other in ("card", "loan", "visa", "cash")]


def encode(model: SentenceTransformer, texts: list[str]) -> Floats:
    vectors: Floats = model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    return vectors


def make_trainer(folder: Path, epochs: int, rate: float) -> StudentTrainer:
    plan = StudentPlan(
        layers=1, dimension=DIMENSION // 2, epochs=epochs, batch=8, imitation_rate=rate, distillation_rate=rate
    )
    return StudentTrainer(plan=plan, folder=folder, seed=0, progress=lambda _: None)


def test_it_begins_as_a_projection_of_its_encoder(base: Path) -> None:
    vectors = encode(SentenceTransformer(str(base)), TEXTS)
    directions = find_directions(vectors, DIMENSION)

    student = encode(build_student(base, 6, directions), TEXTS)

    assert directions @ directions.T == pytest.approx(np.eye(DIMENSION), abs=1e-4)
    assert student @ student.T == pytest.approx(vectors @ vectors.T, abs=1e-3)
    assert (student**2).mean(axis=0)[0] == (student**2).mean(axis=0).max()


def test_it_keeps_so_many_layers_the_first_and_the_last_among_them(tmp_path: Path) -> None:
    base = make_small_transformer(tmp_path / "base", layers=4)
    whole: Any = SentenceTransformer(str(base))

    student: Any = build_student(base, 2, np.eye(DIMENSION, dtype=np.float32)[: DIMENSION // 2])

    names = {name for name, _ in student.named_parameters() if ".layer." in name}
    assert {name.split(".layer.")[1].split(".")[0] for name in names} == {"0", "1"}
    kept = dict(student[0].auto_model.encoder.layer[1].named_parameters())
    last = dict(whole[0].auto_model.encoder.layer[3].named_parameters())
    assert all(np.array_equal(kept[name].detach().cpu(), last[name].detach().cpu()) for name in last)
    assert encode(student, TEXTS).shape == (len(TEXTS), DIMENSION // 2)


def test_it_learns_vectors_and_then_a_teachers_order(base: Path, tmp_path: Path) -> None:
    vectors = encode(SentenceTransformer(str(make_small_transformer(tmp_path / "other", seed=1))), TEXTS)
    directions = find_directions(vectors, DIMENSION // 2)
    wanted = vectors @ directions.T
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    student = build_student(base, 1, directions)
    before = float((encode(student, TEXTS) * wanted).sum(axis=1).mean())

    make_trainer(tmp_path / "student", 12, 2e-2).imitate(student, TEXTS, wanted)

    assert float((encode(student, TEXTS) * wanted).sum(axis=1).mean()) > max(before, 0.8)

    groups = [RankedGroup(TEXTS[place], TEXTS[place + 1 :][: 1 + OTHERS], 1.0) for place in range(8)]
    scores = np.tile(np.arange(1 + OTHERS, 0, -1, dtype=np.float32), (8, 1)) * 3
    before = lead(student, groups)

    make_trainer(tmp_path / "student", 12, 2e-2).distil(student, groups, scores)

    assert lead(student, groups) > before + 0.1


def lead(student: SentenceTransformer, groups: list[RankedGroup]) -> float:
    """Return by how much the passages that the teacher likes best are nearer than those that it likes least."""
    best, worst = (encode(student, [group.passages[place] for group in groups]) for place in (0, -1))
    asked = encode(student, [group.query for group in groups])
    return float(((best - worst) * asked).sum(axis=1).mean())
