from __future__ import annotations

import numpy as np
import pytest

from serving.ranking.features import COLUMN, FEATURES
from serving.ranking.fusion import fuse


def values(**columns: list[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    count = len(next(iter(columns.values())))
    matrix = np.zeros((count, len(FEATURES)), dtype=np.float32)
    for name, column in columns.items():
        matrix[:, COLUMN[name]] = column
    return matrix


def test_the_convex_combination_weighs_both_shares_alike() -> None:
    scores = fuse(values(bm25_share=[1.0, 0.0, 0.5], dense_share=[0.0, 1.0, 0.5]), "convex", {})

    assert scores == pytest.approx([scores[0]] * 3)


def test_reciprocal_ranks_follow_their_definition() -> None:
    scores = fuse(values(bm25=[3.0, 2.0, 0.0], dense=[0.1, 0.9, 0.5]), "rrf", {})

    expected = np.array([1 / 61 + 1 / 63, 1 / 62 + 1 / 61, 1 / 62])
    assert scores / scores[0] == pytest.approx(expected / expected[0], rel=1e-5)


def test_the_linear_fusion_uses_weights_by_name_and_ignores_what_it_has_no_weight_for() -> None:
    scores = fuse(values(dense=[1.0, 2.0], memory=[5.0, 0.0]), "linear", {"dense": 2.0})

    assert scores == pytest.approx([2.0, 4.0])


@pytest.mark.parametrize("method", ["convex", "rrf"])
def test_what_others_chose_counts_before_anything_is_learned(method: str) -> None:
    scores = fuse(values(memory=[0.0, 0.6]), method, {})  # type: ignore[arg-type]  # the parameter is one of two words

    assert scores[1] > scores[0]


@pytest.mark.parametrize("method", ["convex", "rrf", "linear"])
def test_no_candidates_have_no_scores(method: str) -> None:
    assert fuse(values(dense=[]), method, {}).shape == (0,)  # type: ignore[arg-type]  # as above


def test_reciprocal_ranks_are_on_the_scale_of_log_odds_and_equal_scores_keep_their_order() -> None:
    scores = fuse(values(bm25=[2.0, 2.0, 2.0], dense=[0.0, 0.0, 0.0]), "rrf", {})

    assert scores == pytest.approx([300 / 61, 300 / 62, 300 / 63])
    assert scores.dtype == np.float32


def test_a_convex_score_is_the_mean_share_on_the_scale_of_log_odds() -> None:
    scores = fuse(values(bm25_share=[1.0, 0.2], dense_share=[1.0, 0.6]), "convex", {})

    assert scores == pytest.approx([10.0, 4.0])


def test_choices_under_alike_meaning_and_alike_spelling_add_up() -> None:
    scores = fuse(values(memory=[0.5, 0.5], memory_words=[0.0, 0.25]), "convex", {})

    assert scores == pytest.approx([1.5, 2.25])


def test_the_linear_fusion_stays_in_single_precision() -> None:
    assert fuse(values(dense=[1.0]), "linear", {"dense": 2.0}).dtype == np.float32
