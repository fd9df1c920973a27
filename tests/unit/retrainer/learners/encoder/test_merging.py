from __future__ import annotations

import numpy as np
import pytest

from foundation.arrays import Floats
from retrainer.learners.encoder.merging import choose_share, measure_reciprocal_rank
from retrainer.learners.encoder.pairs import TrainingPair


@pytest.mark.parametrize(
    ("quality", "share"),
    [
        ({0.0: 0.5, 0.3: 0.6, 0.5: 0.7, 0.7: 0.65, 1.0: 0.6}, 0.5),
        ({0.0: 0.5, 0.3: 0.699, 0.5: 0.7, 0.7: 0.7, 1.0: 0.7}, 0.3),
        ({0.0: 0.5, 0.3: 0.4, 0.5: 0.4, 0.7: 0.3, 1.0: 0.2}, 0.0),
    ],
    ids=["the best one", "of equals the one nearest to the weights before", "none when nothing is better"],
)
def test_the_share_is_chosen_on_what_was_not_learned(quality: dict[float, float], share: float) -> None:
    assert choose_share(quality.__getitem__) == (share, quality)


def test_a_passage_at_rank_two_counts_half() -> None:
    directions = {"a": (1, 0, 0), "b": (0, 1, 0), "near a": (0.9, 0.1, 0), "for a": (0.8, 0.2, 0), "for b": (0, 1, 0)}

    def encode(texts: list[str]) -> Floats:
        return np.array([directions[text] for text in texts], np.float32)

    held = [TrainingPair("a", "for a", 1.0), TrainingPair("b", "for b", 1.0)]
    assert measure_reciprocal_rank(encode, held, [TrainingPair("x", "near a", 1.0)]) == pytest.approx(0.75)
