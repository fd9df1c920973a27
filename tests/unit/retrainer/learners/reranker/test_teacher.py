"""The teacher tells answers from others, and goes on after a kill."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrainer.learners.reranker.groups import OTHERS, RankedGroup
from retrainer.learners.reranker.teacher import reciprocal_rank, score_groups, train_teacher
from tests.small_transformer import make_small_transformer

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = ("card", "loan", "visa", "cash", "rate", "bank", "tax", "rent")


def groups(form: str) -> list[RankedGroup]:
    return [
        RankedGroup(
            form.format(name),
            [f"about the {name}", *(f"about the {other}" for other in NAMES if other != name)][: 1 + OTHERS],
            1.0,
        )
        for name in NAMES
    ]


def test_it_ranks_passages_and_is_trained_once(tmp_path: Path) -> None:
    base = make_small_transformer(tmp_path / "base")
    told: list[str] = []
    for _ in range(2):
        teacher = train_teacher(
            base,
            groups("my {}") * 4,
            folder=tmp_path / "teacher",
            max_tokens=32,
            limit_s=60.0,
            seed=0,
            progress=told.append,
        )
        scores = score_groups(teacher, groups("my {}"))
        assert scores.shape == (len(NAMES), 1 + OTHERS)
        assert np.isfinite(scores).all()
    assert sum("step 1 of 5" in line for line in told) == 1


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([[3.0, 1.0, 2.0]], 1.0), ([[1.0, 3.0, 2.0]], 1 / 3), ([[1.0, 1.0, 0.0]], 1 / 2), (np.zeros((0, 3)), 0.0)],
)
def test_the_reciprocal_rank_of_answers(scores: list[list[float]], expected: float) -> None:
    assert reciprocal_rank(np.array(scores, np.float32)) == pytest.approx(expected)
