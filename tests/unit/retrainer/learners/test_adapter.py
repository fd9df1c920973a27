from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.linalg import expm

from retrainer.learners.adapter import Adaptation, Judgments, learn_adapter

Floats = npt.NDArray[np.float32]
DIMENSION = 16


def unit(random: np.random.Generator, count: int) -> Floats:
    vectors = random.normal(size=(count, DIMENSION))
    unit_vectors: Floats = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit_vectors


def turned(documents: Floats, seed: int = 0) -> Floats:
    """Return queries that mean the documents in a somewhat turned space."""
    skew = np.random.default_rng(seed).normal(size=(DIMENSION, DIMENSION))
    return (documents @ expm(0.2 * (skew - skew.T))).astype(np.float32)


def judge(queries: Floats, documents: list[int]) -> Judgments:
    count = len(queries)
    ones = np.ones(count, dtype=np.float32)
    return Judgments(queries, ones, np.arange(count), np.array(documents), ones)


def hits(learned: Adaptation, queries: Floats, documents: Floats, wanted: npt.NDArray[np.int64]) -> float:
    found = (learned.adapter.adapt(queries) @ documents.T).argmax(axis=1)
    return float((found == wanted).mean())


def test_it_learns_a_turn_of_the_query_space_and_carries_it_to_unseen_queries() -> None:
    documents = unit(np.random.default_rng(1), 200)
    queries = turned(documents)
    known, unseen = np.arange(150), np.arange(150, 200)

    learned = learn_adapter(judge(queries[known], known.tolist()), documents, steps=300, seed=0)

    untaught = learn_adapter(judge(queries[:0], []), documents, steps=300, seed=0)
    before, after = (hits(model, queries[unseen], documents, unseen) for model in (untaught, learned))
    assert after > before + 0.1


def test_only_documents_with_evidence_move() -> None:
    documents = unit(np.random.default_rng(2), 40)

    learned = learn_adapter(judge(unit(np.random.default_rng(3), 3), [7, 7, 11]), documents, steps=20, seed=0)

    assert learned.documents.tolist() == [7, 11]
    assert learned.residuals([f"d{number}" for number in range(40)]).ids == ("d7", "d11")


def test_nothing_to_learn_from_leaves_queries_as_they_are() -> None:
    queries = unit(np.random.default_rng(4), 5)

    learned = learn_adapter(judge(queries[:0], []), unit(np.random.default_rng(5), 10), steps=50, seed=0)

    assert learned.adapter.adapt(queries) == pytest.approx(queries, abs=1e-6)
    assert len(learned.documents) == 0


def test_a_seed_gives_the_same_adapter_again_also_when_documents_are_sampled() -> None:
    documents = unit(np.random.default_rng(6), 700)
    judgments = judge(turned(documents[:30]), list(range(30)))

    one, other = (learn_adapter(judgments, documents, steps=10, seed=3) for _ in range(2))

    assert np.array_equal(one.adapter.weight, other.adapter.weight)
    assert np.array_equal(one.shifts, other.shifts)


def test_learning_goes_on_from_where_it_was() -> None:
    documents = unit(np.random.default_rng(7), 60)
    judgments = judge(turned(documents), list(range(60)))
    first = learn_adapter(judgments, documents, steps=200, seed=0)

    further = learn_adapter(judgments, documents, steps=1, seed=0, start=first)

    assert np.abs(further.adapter.weight - first.adapter.weight).max() < 0.01
    assert np.abs(further.shifts - first.shifts).max() < 0.01
