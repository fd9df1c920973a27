"""A candidate must rank much as what was judged in its place."""

from __future__ import annotations

import pytest

from retrainer.gate.checks.siblings import check_siblings
from tests.measured import comparison, measured

WHOLE = comparison([0.1] * 30)
TEN = [f"document {number}" for number in range(10)]
SHOWN = {key: [*TEN[:7], f"{key} 1", f"{key} 2", f"{key} 3"] for key in WHOLE.keys}


def test_much_the_same_is_enough() -> None:
    finding = check_siblings(measured(WHOLE, candidate_tops=SHOWN, sibling_tops=dict.fromkeys(SHOWN, TEN)))
    assert finding is not None
    assert finding.passed
    assert finding.value == pytest.approx(0.7)


def test_another_ranking_than_the_judged_one_is_refused_and_the_worst_queries_named() -> None:
    judged = dict.fromkeys(SHOWN, TEN[::-1]) | {"query 7": ["elsewhere"] * 10}
    strange = {key: [f"{key} {number}" for number in range(10)] for key in SHOWN}
    finding = check_siblings(measured(WHOLE, candidate_tops=strange, sibling_tops=judged))
    assert finding is not None
    assert not finding.passed
    assert "ranks otherwise than what was judged in its place" in finding.tell()
    assert finding.worst[0] == "'query 0' -1.000"


def test_a_candidate_that_was_judged_itself_has_no_other_to_be_like() -> None:
    assert check_siblings(measured(WHOLE, candidate_tops=SHOWN)) is None
