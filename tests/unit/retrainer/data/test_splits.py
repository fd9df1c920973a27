"""Queries that mean the same stay together, and where they first were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrainer.data.splits import assign_folds, cluster_queries, is_near_any, join_clusters


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


def test_new_queries_join_the_nearest_that_is_known() -> None:
    joined = join_clusters(["old", "other", "new", "over new"], unit(0.0, 1.2, 0.4, 0.7), {"old": "A", "other": "B"})

    assert joined == {"old": "A", "other": "B", "new": "A", "over new": "A"}


def test_new_queries_found_clusters_named_by_the_smallest() -> None:
    assert join_clusters(["b", "c", "a"], unit(0.0, 0.3, 2.0), {}) == {"b": "b", "c": "b", "a": "a"}
    assert join_clusters([], np.zeros((0, 4), dtype=np.float32), {"gone": "A"}) == {}


@given(st.lists(st.floats(0, 6.2), min_size=1, max_size=30), st.integers(0, 30))
def test_what_comes_later_moves_nothing(angles: list[float], early: int) -> None:
    names, vectors = [f"query {number}" for number in range(len(angles))], unit(*angles)
    before = join_clusters(names[:early], vectors[:early], {})

    after = join_clusters(names, vectors, before)

    assert after.keys() == set(names)
    assert before.items() <= after.items()
    assert join_clusters(names, vectors, after) == after


def test_what_is_nearly_equal_to_any_is_found() -> None:
    assert is_near_any(unit(0.0, 1.0, 2.0), unit(0.2, 2.6)).tolist() == [True, False, False]
    assert is_near_any(unit(0.0), np.zeros((0, 2), dtype=np.float32)).tolist() == [False]


def test_folds_are_about_equal() -> None:
    folds = assign_folds([f"query {number}" for number in range(3000)], np.arange(3000), 3, "salt")

    assert np.bincount(folds) / 3000 == pytest.approx([1 / 3] * 3, abs=0.04)
