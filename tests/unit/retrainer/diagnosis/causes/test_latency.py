"""Time costs clicks by as much as the collection's own users show."""

from __future__ import annotations

import numpy as np
import pytest

from collector.api import RunList
from retrainer.diagnosis.causes.latency import cost_in_clicks, examine
from retrainer.diagnosis.evidence import SplitLists, VersionEvidence
from tests.diagnosing import gate, shown


def searches(slower: float, impatience: float) -> list[RunList]:
    """Return an A/B test whose treatment takes e**slower times as long; users click less the longer it takes."""
    random = np.random.default_rng(4)
    lists = []
    for number in range(8000):
        arm = "treatment" if number % 2 else "control"
        logarithm = random.normal(slower * (arm == "treatment"), 0.4)
        clicks = random.random() < 0.5 - impatience * logarithm
        lists.append(shown(number, arm=arm, clicked=(1,) if clicks else (), took_ms=float(50 * np.exp(logarithm))))
    return lists


def seen(lists: list[RunList], change: float = 0.05) -> VersionEvidence:
    return VersionEvidence(gate=gate(change=change), split=SplitLists(lists, "control", "treatment"))


def test_a_slow_ranking_that_users_leave_is_named() -> None:
    lists = searches(1.0, 0.1)
    by_arm = [[one for one in lists if one.arm == arm] for arm in ("control", "treatment")]
    cost = cost_in_clicks(*by_arm)
    assert cost is not None
    assert cost.low <= 0.1 <= cost.high
    assert cost.value == pytest.approx(0.1, abs=0.04)
    assert examine(seen(lists)).state == "named"


def test_a_quick_one_and_patient_users_are_cleared() -> None:
    assert examine(seen(searches(0.0, 0.1))).state == "cleared"
    assert examine(seen(searches(0.7, 0.0), change=0.2)).state == "cleared"


def test_without_times_of_both_arms_it_says_so() -> None:
    untimed = [shown(number, arm="control", took_ms=0.0) for number in range(500)]
    assert examine(seen(untimed)).state == "unknown"
    assert examine(VersionEvidence(gate=gate())).state == "unknown"


def test_times_that_never_vary_tell_no_cost() -> None:
    lists = [shown(n, arm=arm, clicked=(1,) if n % 3 else ()) for n in range(400) for arm in ("control", "treatment")]
    assert examine(seen(lists)).state == "unknown"
