"""Which queries are drawn to be judged, and with which documents."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from retrainer.gold.sample import PooledDocument, sample, uncertainty


def document(name: str, score: float, bm25: float = 0.0, dense: float = 0.0) -> PooledDocument:
    return PooledDocument(name, name, "", "", score, bm25, dense)


SURE = [document("a", 9.0), document("b", 0.0)]
UNSURE = [document("a", 1.0), document("b", 1.0)]


def test_uncertainty_is_zero_for_one_clear_answer_and_one_for_ten_equal_ones() -> None:
    assert uncertainty(np.array([50.0, 0.0, 0.0])) == pytest.approx(0.0, abs=1e-6)
    assert uncertainty(np.zeros(10)) == pytest.approx(1.0)
    assert uncertainty(np.zeros(0)) == 1.0
    assert uncertainty(np.array([1e6, 1e6 + 1])) < 1.0


def test_no_query_is_drawn_twice_and_no_more_than_there_are() -> None:
    asked = [(f"q{number}", 1 + number) for number in range(7)]
    drawn = sample(asked, lambda _: UNSURE, count=50, depth=2, seed=3)
    assert sorted(one.query for one in drawn) == sorted(query for query, _ in asked)
    assert sample([], lambda _: UNSURE, count=5, depth=2, seed=3) == []


def test_a_query_asked_more_often_is_drawn_more_often() -> None:
    asked = [(f"q{number}", 100 if number < 10 else 1) for number in range(200)]
    drawn = Counter(
        int(one.query[1:]) < 10
        for seed in range(200)
        for one in sample(asked, lambda _: UNSURE, count=1, depth=1, seed=seed)
    )
    assert drawn[True] > drawn[False]


def test_an_uncertain_answer_is_judged_before_a_clear_one() -> None:
    asked = [(f"q{number}", 5) for number in range(40)]
    drawn = sample(asked, lambda query: SURE if int(query[1:]) % 2 else UNSURE, count=10, depth=2, seed=1)
    assert sum(int(one.query[1:]) % 2 for one in drawn) <= 1


def test_each_way_of_searching_brings_its_best_documents_to_the_pool() -> None:
    found = [document("score", 9.0), document("words", 0.0, bm25=9.0), document("meaning", 0.0, dense=9.0)]
    [drawn] = sample([("q", 1)], lambda _: [*found, document("none", -1.0, -1.0, -1.0)], count=1, depth=1, seed=0)
    assert sorted(one.id for one in drawn.documents) == ["meaning", "score", "words"]
