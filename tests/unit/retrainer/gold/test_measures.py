"""nDCG by judgments of people."""

from __future__ import annotations

from math import log2

import pytest

from retrainer.gold.measures import ndcg_by_query


def test_the_best_order_scores_one_and_a_worse_one_less() -> None:
    grades = {"q": {"a": 3, "b": 1}}
    assert ndcg_by_query(grades, {"q": ["a", "b"]}) == {"q": pytest.approx(1.0)}
    ideal = 3 + 1 / log2(3)
    assert ndcg_by_query(grades, {"q": ["b", "a"]}) == {"q": pytest.approx((1 + 3 / log2(3)) / ideal)}


def test_a_query_that_finds_nothing_scores_zero() -> None:
    assert ndcg_by_query({"q": {"a": 3}}, {"q": []}) == {"q": 0.0}


def test_queries_without_an_answer_say_nothing() -> None:
    assert ndcg_by_query({"q": {"a": 0}}, {"q": ["a"], "unknown": ["b"]}) == {}
