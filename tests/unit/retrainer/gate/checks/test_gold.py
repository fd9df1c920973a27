"""Queries that people judged are answered no worse."""

from __future__ import annotations

import numpy as np

from retrainer.gate.checks.gold import check_gold, check_gold_answers
from retrainer.gate.gate import judge_candidate
from retrainer.gate.measurements import JudgedQueries, Measurements
from tests.measured import comparison, measured

QUERIES = [f"judged {number}" for number in range(40)]


def judged(after: float, lost: int = 0) -> Measurements:
    candidate = np.full(40, after)
    candidate[:lost] = 0.0
    gold = JudgedQueries(QUERIES, np.full(40, 0.5), candidate)
    return measured(comparison([0.1] * 30), gold=gold)


def test_a_candidate_that_clicks_praise_and_people_do_not_is_refused_with_its_worst_queries() -> None:
    gate = judge_candidate(judged(0.4))
    assert not gate.passed
    assert "answers queries less well that people judged (mean change of 40 judged queries -0.1000" in gate.reason
    assert "'judged 0' -0.100" in gate.reason


def test_a_hundredth_is_left_for_chance() -> None:
    assert judge_candidate(judged(0.495)).passed


def test_a_judged_query_that_loses_every_answer_is_a_case_for_good() -> None:
    gate = judge_candidate(judged(0.55, lost=1))
    assert not gate.passed
    assert "loses answers (judged queries left without an answer +1.0, must be below +1.0)" in gate.reason
    assert gate.metrics["check_gold_answers"] == 1.0


def test_without_judgments_there_is_nothing_to_check() -> None:
    nothing = measured(comparison([0.1] * 30))
    assert check_gold(nothing) is None
    assert check_gold_answers(nothing) is None
