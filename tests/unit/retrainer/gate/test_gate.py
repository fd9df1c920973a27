"""The gate lets nothing through that could be worse, and says why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from foundation.statistics import bootstrap_interval
from retrainer.data.threshold import MIN_JUDGED
from retrainer.gate.ablation import Contribution
from retrainer.gate.checks.change import MIN_OVERLAP
from retrainer.gate.checks.held_out import MIN_LOW_BOUND
from retrainer.gate.comparison import Comparison
from retrainer.gate.gate import CHECKS, Gate, judge_candidate
from retrainer.gate.measurements import Latency
from tests.measured import comparison, measured

KNOWN = {"adapter": Contribution(0.3, 0.04), "residuals": Contribution(0.1, 0.02), "memory": Contribution(2.0, 0.1)}


def judge(found: Comparison, **other: Any) -> Gate:
    return judge_candidate(measured(found, **{"contributions": KNOWN} | other))


def test_a_candidate_that_is_better_everywhere_passes() -> None:
    gate = judge(comparison([0.05] * 40))
    assert gate.passed
    assert "+0.0500" in gate.reason
    assert gate.metrics["change"] == pytest.approx(0.05)
    assert gate.metrics["harmed"] == 0


@pytest.mark.parametrize(
    ("change", "overlap", "why"),
    [
        ([0.1] * (MIN_JUDGED - 1), 0.8, f"only {MIN_JUDGED - 1} held-out queries"),
        ([0.0] * 40, 0.8, "not better"),
        ([-0.01] * 40, 0.8, "not better"),
        ([0.0] * 39 + [1e-5], 0.8, "not better"),
        ([0.5, *[-0.01] * 39], 0.8, "could be worse"),
        ([0.05] * 40, MIN_OVERLAP - 0.01, "never shown before"),
    ],
)
def test_every_refusal_has_its_reason(change: list[float], overlap: float, why: str) -> None:
    gate = judge(comparison(change, overlap))
    assert not gate.passed
    assert why in gate.reason


def test_a_refusal_names_check_number_bound_and_the_worst_queries() -> None:
    gate = judge(comparison([-0.3, *[-0.01] * 39]))
    assert "mean change -0.0173, must be above +0.0010" in gate.reason
    assert "worst: 'query 0' -0.300, 'query 1' -0.010" in gate.reason


def test_a_candidate_that_ranks_as_the_champion_does_is_told_so() -> None:
    gate = judge(comparison([0.0] * 40, overlap=1.0))
    assert not gate.passed
    assert "as the champion does" in gate.reason


def test_the_readings_are_reported_with_how_much_is_data() -> None:
    gate = judge(comparison([0.05] * 40))
    assert gate.metrics["change_as_champion_reads"] == pytest.approx(0.03)
    assert gate.metrics["change_as_candidate_reads"] == pytest.approx(0.07)
    assert gate.metrics["data"] == 0.5


def test_queries_weigh_by_their_lists() -> None:
    change = comparison([0.2] * 20 + [-0.1] * 20)
    light = replace(change, weights=np.array([0.1] * 20 + [1.0] * 20))
    assert judge(change).passed
    assert not judge(light).passed


@pytest.mark.parametrize("part", KNOWN)
def test_no_gain_lets_a_broken_part_through(part: str) -> None:
    gate = judge(comparison([0.05] * 40), contributions=KNOWN | {part: Contribution(0.003, 0.002)})
    assert not gate.passed
    assert f"by {part} (+0.003 ± 0.002)" in gate.reason
    assert gate.metrics[f"worth_{part}"] == pytest.approx(0.003)


def test_a_candidate_without_parts_has_none_to_break() -> None:
    assert judge(comparison([0.05] * 40), contributions={}).passed


def test_equal_questions_count_as_one() -> None:
    change = [0.2] * 20 + [-0.03] * 20
    together = {f"query {number}": str(max(number, 19)) for number in range(40)}
    assert judge(comparison(change)).passed
    assert not judge(comparison(change), clusters=together).passed


def test_a_seed_fixes_the_decision() -> None:
    change = np.random.default_rng(1).normal(0.01, 0.1, 60)
    one, same = (bootstrap_interval(change, confidence=0.9, seed=7, clusters=np.arange(60)) for _ in range(2))
    assert one == same


@given(arrays.arrays(np.float64, st.integers(2, 40), elements=st.floats(-1, 1)), st.integers(0, 3))
def test_the_interval_lies_within_the_changes(change: np.ndarray[tuple[int], np.dtype[np.float64]], seed: int) -> None:
    low, high = bootstrap_interval(change, confidence=0.9, seed=seed, clusters=np.arange(len(change)) // 2)
    assert change.min() - 1e-9 <= low <= high <= change.max() + 1e-9


@pytest.mark.parametrize(("queries", "spread"), [(50, 0.1), (200, 0.2)])
def test_of_candidates_worse_by_the_bound_one_in_twenty_passes_at_most(queries: int, spread: float) -> None:
    random = np.random.default_rng(0)
    changes = (random.normal(MIN_LOW_BOUND, spread, queries).tolist() for _ in range(200))
    passed = [judge(comparison(change), seed=seed).passed for seed, change in enumerate(changes)]
    assert np.mean(passed) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_every_failed_check_is_told_and_every_number_is_kept() -> None:
    gate = judge(
        comparison([-0.1] * 40, overlap=0.1),
        latency=Latency(1.0, 50.0),
        reloaded_otherwise=("toner",),
        memory_mib=900.0,
    )
    for problem in ("not better", "could be worse", "never shown before", "too slowly", "each time", "too much memory"):
        assert problem in gate.reason
    assert "'toner'" in gate.reason
    assert {f"check_{name}" for name in ("mean", "overlap", "latency", "reload", "memory")} <= gate.metrics.keys()
    assert {name.removeprefix("check_") for name in gate.metrics if name.startswith("check_")} <= CHECKS.keys()
