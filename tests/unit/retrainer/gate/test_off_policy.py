"""What lists that chance interleaved say of a version that nobody has seen."""

from __future__ import annotations

import numpy as np
import pytest

from collector.api import InterleavedSearch
from foundation.contracts import CURVE_RANKS, ClickCurve
from retrainer.gate.off_policy import ClickGuess, OffPolicyEstimate, estimate_change

CURVE = ClickCurve(tuple(0.8 / rank for rank in range(1, CURVE_RANKS + 1)), (0.1,) * CURVE_RANKS)
NOTHING = ClickGuess({}, CURVE)
A, B = {"toner": ["a", "b", "c"]}, {"toner": ["b", "a", "c"]}
CHANCES = {"a": (0.6, 0.2), "b": (0.3, 0.25), "c": (0.0, 0.0)}
"""Probabilities of a click at ranks 1 and 2."""


def interleaved(count: int, seed: int) -> list[InterleavedSearch]:
    """Return lists in which a and b take turns on top, and users who click by document and rank alone."""
    random = np.random.default_rng(seed)
    lists = []
    for number in range(count):
        documents = ("a", "b", "c") if random.random() < 0.5 else ("b", "a", "c")
        clicked = [rank for rank in (1, 2) if random.random() < CHANCES[documents[rank - 1]][rank - 1]]
        lists.append(InterleavedSearch("toner", f"u{number % 200}", documents, (0.5, 0.5, 1.0), tuple(clicked)))
    return lists


TRUTH = (0.3 + 0.2) - (0.6 + 0.25)


@pytest.mark.parametrize("guess", [NOTHING, ClickGuess({"toner": {"a": 0.9, "b": 0.2}}, CURVE)])
def test_the_interval_covers_the_truth_whatever_is_guessed(guess: ClickGuess) -> None:
    found = [estimate_change(interleaved(800, seed), A, B, guess) for seed in range(60)]
    assert np.mean([one.change for one in found]) == pytest.approx(TRUTH, abs=0.02)
    assert np.mean([one.low <= TRUTH <= one.high for one in found]) >= 0.88
    assert all(one.says for one in found)
    assert np.mean([one.coverage for one in found]) == pytest.approx(1.0, abs=0.02)


def test_documents_that_never_stood_there_are_no_coverage() -> None:
    found = estimate_change(interleaved(800, 0), A, {"toner": ["x", "y", "c"]}, NOTHING)
    assert found.coverage == pytest.approx(0.5, abs=0.05)
    assert not found.says


def test_versions_that_rank_the_same_differ_by_nothing() -> None:
    found = estimate_change(interleaved(200, 0), A, A, NOTHING)
    assert (found.change, found.low, found.high, found.coverage) == (0.0, 0.0, 0.0, 1.0)


def test_few_lists_say_nothing() -> None:
    assert not estimate_change(interleaved(20, 0), A, B, NOTHING).says
    assert estimate_change([], A, B, NOTHING).lists == 0
    assert estimate_change(interleaved(20, 0), {}, B, NOTHING).lists == 0


def test_one_person_proves_nothing() -> None:
    alone = [
        InterleavedSearch("toner", "u", one.documents, one.propensities, one.clicked) for one in interleaved(500, 0)
    ]
    found = estimate_change(alone, A, B, NOTHING)
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_an_estimate_says_something_with_lists_and_coverage() -> None:
    assert OffPolicyEstimate(500, 0.1, 0.0, 0.2, 0.9).says
    assert not OffPolicyEstimate(500, 0.1, 0.0, 0.2, 0.3).says
    assert not OffPolicyEstimate(50, 0.1, 0.0, 0.2, 0.9).says
