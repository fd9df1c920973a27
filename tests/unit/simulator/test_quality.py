from math import log2

import pytest

from simulator.quality import ndcg


def test_ndcg_is_trec_evals() -> None:
    measured = ndcg({"q": {"a": 3, "b": 1, "c": 0}}, {"q": ["c", "a", "b"]})

    best = 3 + 1 / log2(3)
    assert measured == pytest.approx({"q": (3 / log2(3) + 1 / 2) / best})


def test_depth_cuts_and_unanswered_queries_score_nothing() -> None:
    judgments = {"late": {"a": 1}, "empty": {"a": 1}}

    assert ndcg(judgments, {"late": ["x", "y", "a"], "empty": []}, k=2) == {"late": 0, "empty": 0}
    assert ndcg(judgments, {"empty": []}) == {"empty": 0}


def test_the_given_order_counts_and_unjudged_queries_are_left_out() -> None:
    ranking = [f"d{number}" for number in range(12)]

    assert ndcg({"q": {"d0": 1}}, {"q": ranking, "unjudged": ranking}) == {"q": 1}
