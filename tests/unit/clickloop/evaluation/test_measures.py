"""Measures agree with trec_eval's definitions, and chance is told from difference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickloop.evaluation.measures import MEASURES, compare_all, holm, measure, parse_measures, randomisation_p_value
from foundation.errors import InvalidRequest

JUDGMENTS = {"q1": {"a": 1}, "q2": {"b": 1, "c": 1}}


def test_measures_of_a_known_run() -> None:
    found = measure(JUDGMENTS, {"q1": {"x": 2.0, "a": 1.0}, "q2": {"b": 3.0, "x": 2.0, "c": 1.0}})
    ideal = 1 + 1 / math.log2(3)
    assert found.ndcg == pytest.approx({"q1": 1 / math.log2(3), "q2": (1 + 1 / 2) / ideal})
    assert found.means["RR@10"] == pytest.approx((1 / 2 + 1) / 2)
    assert found.means["AP"] == pytest.approx((1 / 2 + (1 + 2 / 3) / 2) / 2)
    assert found.means["P@10"] == pytest.approx((1 / 10 + 2 / 10) / 2)
    assert found.means["R@10"] == 1.0


def test_a_query_without_results_scores_nothing_and_counts() -> None:
    found = measure(JUDGMENTS, {"q1": {"a": 1.0}, "q2": {}})
    assert found.ndcg == {"q1": 1.0, "q2": 0.0}
    assert found.means["RR@10"] == 0.5


def test_any_depth_can_be_asked_for_and_pairs_are_still_compared_by_ndcg_at_10() -> None:
    measures = parse_measures("P@1, R@2,MAP,RR@1", depth=100)
    found = measure(JUDGMENTS, {"q1": {"x": 2.0, "a": 1.0}, "q2": {"b": 3.0, "c": 1.0}}, measures)
    assert found.means == pytest.approx({"P@1": 0.5, "R@2": 1.0, "AP": 0.75, "RR@1": 0.5})
    assert found.ndcg["q2"] == 1.0


def test_the_measures_named_by_default_are_those_measured_by_default() -> None:
    assert parse_measures("nDCG@10,RR@10,AP,P@10,R@10,R@100", depth=100) == MEASURES


@pytest.mark.parametrize("name", ["p@5", "P@", "P", "P@0", "R", "Judged@10", "nonsense", "", "P@5,,AP"])
def test_a_measure_that_is_not_there_is_told_examples(name: str) -> None:
    with pytest.raises(InvalidRequest, match="P@5 or R@50"):
        parse_measures(name, depth=100)


def test_a_measure_that_looks_too_deep_is_told_what_to_do() -> None:
    with pytest.raises(InvalidRequest, match=r"R@500 looks deeper than the 100.*--depth"):
        parse_measures("R@500", depth=100)


def test_holm_of_a_known_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_makes_a_finding_surer_and_keeps_the_order(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(before <= after <= 1 for before, after in zip(p_values, corrected, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert all(np.diff(np.array(corrected)[order]) >= 0)


def test_randomisation_finds_what_is_there_and_nothing_else() -> None:
    random = np.random.default_rng(0)
    assert randomisation_p_value(np.full(20, 0.1), 0) < 0.001
    assert randomisation_p_value(np.zeros(20), 0) == 1.0
    noise = [randomisation_p_value(random.normal(0, 0.3, 40), 0) for _ in range(200)]
    assert 0.01 <= np.mean(np.array(noise) < 0.05) <= 0.1


def test_every_pair_is_compared_with_the_better_one_first() -> None:
    judgments = {f"q{number}": {"a": 1} for number in range(30)}
    good = measure(judgments, {query: {"a": 1.0} for query in judgments})
    bad = measure(judgments, {query: {"x": 2.0, "a": 1.0} for query in judgments})
    found = compare_all({"bad": bad, "good": good, "same": good}, seed=0)
    assert [(pair.first, pair.second) for pair in found] == [("good", "bad"), ("same", "bad"), ("good", "same")]
    assert found[0].wins == 30
    assert found[0].losses == 0
    assert found[0].low > 0
    assert found[0].corrected < 0.01
    assert found[2].p_value == 1.0
