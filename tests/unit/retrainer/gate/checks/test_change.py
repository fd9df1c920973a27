"""A candidate may not move far from what is shown today."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrainer.gate.checks.change import MAX_DRIFT, check_drift, check_overlap, expose
from tests.measured import comparison, measured

TEN = [f"document {number}" for number in range(10)]
KEYS = [f"query {number}" for number in range(30)]


def test_too_few_results_kept_are_told_with_the_queries() -> None:
    finding = check_overlap(measured(comparison([0.1] * 30, overlap=0.2)))
    assert not finding.passed
    assert "share of ten results kept +0.2000, must be above +0.3000" in finding.tell()
    assert finding.worst[0] == "'query 0' -0.800"


def test_other_orders_of_the_same_documents_move_no_attention() -> None:
    turned = {key: TEN[number % 10 :] + TEN[: number % 10] for number, key in enumerate(KEYS)}
    other = {key: tops[::-1] for key, tops in turned.items()}
    finding = check_drift(measured(comparison([0.1] * 30), champion_tops=turned, candidate_tops=other))
    assert finding is not None
    assert finding.value == pytest.approx(0, abs=1e-9)


def test_one_document_on_top_of_everything_moves_too_much() -> None:
    own = {key: [f"{key} answer {rank}" for rank in range(10)] for key in KEYS}
    popular = dict.fromkeys(KEYS, TEN)
    finding = check_drift(measured(comparison([0.1] * 30), champion_tops=own, candidate_tops=popular))
    assert finding is not None
    assert not finding.passed
    assert finding.value == pytest.approx(1.0)
    assert finding.bound == MAX_DRIFT


def test_without_lists_nothing_is_found() -> None:
    assert check_drift(measured(comparison([0.1] * 30))) is None


@given(
    st.dictionaries(st.sampled_from(KEYS), st.lists(st.sampled_from(TEN), unique=True), min_size=1),
    st.lists(st.floats(0.1, 100), min_size=30, max_size=30),
)
def test_shares_of_attention_sum_to_one(tops: dict[str, list[str]], lists: list[float]) -> None:
    weights = {key: lists[KEYS.index(key)] for key in tops}
    shares = expose(tops, weights)
    assert sum(shares.values()) == pytest.approx(1.0 if any(tops.values()) else 0.0)
