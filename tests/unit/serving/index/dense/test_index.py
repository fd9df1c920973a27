"""Passages are found by meaning, exactly or nearly so, sealed or not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from serving.index.dense import index as dense
from serving.index.dense.index import DenseIndex

DIMENSION = 64


def draw(count: int, seed: int = 0) -> npt.NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def nearest(vectors: npt.NDArray[np.float32], query: npt.NDArray[np.float32], count: int) -> list[int]:
    found: list[int] = np.argsort(-(vectors @ query))[:count].tolist()
    return found


def shared(one: list[int], other: list[int]) -> float:
    return len(set(one) & set(other)) / len(other)


@pytest.fixture
def vectors() -> npt.NDArray[np.float32]:
    return draw(3000)


@pytest.fixture
def index(vectors: npt.NDArray[np.float32]) -> DenseIndex:
    index = DenseIndex(DIMENSION)
    index.add(list(range(len(vectors))), vectors)
    return index


def reopen(index: DenseIndex, folder: Path) -> DenseIndex:
    index.save(folder)
    return DenseIndex(DIMENSION, folder)


def test_eight_bits_lose_next_to_nothing(index: DenseIndex, vectors: npt.NDArray[np.float32]) -> None:
    queries = draw(20, seed=1)
    assert np.mean([shared(index.search(query, 100), nearest(vectors, query, 100)) for query in queries]) > 0.97
    assert np.abs(index.vectors(np.arange(50)) - vectors[:50]).max() < 0.01


def test_sealed_and_new_passages_are_ranked_together(
    index: DenseIndex, vectors: npt.NDArray[np.float32], tmp_path: Path
) -> None:
    reopened = reopen(index, tmp_path)
    more = draw(500, seed=2)
    reopened.add(list(range(3000, 3500)), more)
    query = draw(1, seed=3)[0]

    assert shared(reopened.search(query, 100), nearest(np.vstack([vectors, more]), query, 100)) > 0.95
    assert np.allclose(reopened.vectors(np.array([5, 3100])), [vectors[5], more[100]], atol=0.01)


def test_removed_passages_are_never_found(index: DenseIndex, tmp_path: Path) -> None:
    query = draw(1, seed=3)[0]
    best = index.search(query, 10)
    index.remove(range(best[0], best[0] + 1))
    reopened = reopen(index, tmp_path)
    reopened.remove(range(best[1], best[1] + 1))

    assert reopened.search(query, 8) == best[2:]


def test_a_graph_finds_nearly_all_that_comparing_everything_does(
    index: DenseIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dense, "EXACT_PASSAGES", 1000)
    reopened = reopen(index, tmp_path)

    queries = draw(20, seed=4)
    assert np.mean([shared(reopened.search(q, 100), reopened.search_exactly(q, 100)) for q in queries]) > 0.98


@pytest.mark.parametrize("share", [0.5, 0.05, 0.003])
def test_filters_keep_what_they_allow_in_every_index(
    index: DenseIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    monkeypatch.setattr(dense, "EXACT_PASSAGES", 1000)
    monkeypatch.setattr(dense, "_EXACT_ALLOWED", 300)
    reopened = reopen(index, tmp_path)
    allowed = np.random.default_rng(5).random(3000) < share
    query = draw(1, seed=6)[0]
    exact = [row for row in index.search(query, 3000) if allowed[row]][:100]

    found = reopened.search(query, 100, allowed)

    assert allowed[found].all()
    assert shared(found, exact) > 0.97


def test_the_centre_is_the_mean_of_what_lives(index: DenseIndex, vectors: npt.NDArray[np.float32]) -> None:
    index.remove(range(1000))
    assert np.allclose(index.centre(), vectors[1000:].mean(axis=0), atol=0.001)


@pytest.mark.parametrize("sealed", [False, True])
def test_a_search_starts_no_threads_in_whatever_thread_searches(
    index: DenseIndex, tmp_path: Path, sealed: bool
) -> None:
    searched = reopen(index, tmp_path) if sealed else index
    query = draw(1, seed=7)[0]

    def search() -> int:
        dense.faiss.omp_set_num_threads(4)  # as a machine with four processors lets a new thread begin
        searched.search(query, 10)
        threads: int = dense.faiss.omp_get_max_threads()
        return threads

    with ThreadPoolExecutor(1) as fresh:
        assert fresh.submit(search).result() == 1
