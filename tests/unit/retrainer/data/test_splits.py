from __future__ import annotations

import numpy as np
import pytest

from retrainer.data.splits import assign_folds, cluster_queries


def unit(*angles: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array([[np.cos(angle), np.sin(angle)] for angle in angles], dtype=np.float32)


def test_queries_of_the_same_meaning_share_a_cluster_over_others_between_them() -> None:
    clusters = cluster_queries(unit(0.0, 0.4, 0.8, 2.5))

    assert len(set(clusters[:3].tolist())) == 1
    assert clusters[3] != clusters[0]


def test_no_queries_make_no_clusters() -> None:
    assert len(cluster_queries(np.zeros((0, 4), dtype=np.float32))) == 0


def test_a_cluster_is_never_split() -> None:
    clusters = np.array([0, 0, 1, 1, 1])

    folds = assign_folds(["a", "b", "c", "d", "e"], clusters, 3, "salt")

    assert len(set(folds[:2].tolist())) == 1
    assert len(set(folds[2:].tolist())) == 1


def test_folds_stay_when_other_queries_come() -> None:
    keys = [f"query {number}" for number in range(50)]
    before = assign_folds(keys[:25], np.arange(25), 3, "salt")

    after = assign_folds(keys, np.arange(50), 3, "salt")

    assert after[:25].tolist() == before.tolist()


def test_folds_are_about_equal() -> None:
    folds = assign_folds([f"query {number}" for number in range(3000)], np.arange(3000), 3, "salt")

    assert np.bincount(folds) / 3000 == pytest.approx([1 / 3] * 3, abs=0.04)
