from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from foundation.arrays import Floats
from retrainer.learners.adapter import Judgments
from retrainer.learners.tower.training import learn_table

pytestmark = pytest.mark.usefixtures("one_thread")

PIECES = 40


def judgments(count: int) -> Judgments:
    places = np.arange(count)
    ones = np.ones(count, np.float32)
    return Judgments(np.zeros((count, 4), np.float32), ones, places, places, ones)


def reach(table: Floats, queries: csr_array, documents: csr_array) -> float:
    one, other = (np.asarray(shares @ table) for shares in (queries, documents))
    one, other = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (one, other))
    return float(((one @ other.T).argmax(axis=1) == np.arange(len(one))).mean())


def test_queries_come_nearest_to_the_documents_that_answer_them() -> None:
    random = np.random.default_rng(0)
    start = random.normal(scale=0.25, size=(PIECES, 16)).astype(np.float32)
    said = np.eye(PIECES, dtype=np.float32)
    queries, documents = csr_array(said[:20]), csr_array(said[20:])
    learned = learn_table(start, queries, documents, judgments(20), seed=1)
    assert reach(start, queries, documents) < 0.3
    assert reach(learned, queries, documents) > 0.9
    np.testing.assert_array_equal(learned, learn_table(start, queries, documents, judgments(20), seed=1))


def test_pieces_that_nobody_used_stay_where_they_are() -> None:
    start = np.random.default_rng(0).normal(size=(PIECES, 16)).astype(np.float32)
    said = np.eye(PIECES, dtype=np.float32)
    learned = learn_table(start, csr_array(said[:5]), csr_array(said[5:10]), judgments(5), seed=1)
    np.testing.assert_array_equal(learned[10:], start[10:])


def test_without_labels_nothing_is_learned() -> None:
    start = np.ones((PIECES, 16), np.float32)
    empty = csr_array(np.zeros((0, PIECES), np.float32))
    assert learn_table(start, empty, csr_array(np.eye(PIECES, dtype=np.float32)), judgments(0), seed=0) is start
