"""Each arm's own value stands beside the effect, at the same level."""

from __future__ import annotations

import pytest

from ab_testing.decide.arms import measure
from ab_testing.decide.evidence import weigh
from tests.looks import plan, rates, see


def test_each_arm_is_shown_at_the_level_of_the_effect() -> None:
    look = see(click_rate=rates(0.3, 0.5), latencies=(100, 92))
    shown = {(each.metric, each.arm): each for each in measure(plan(), look)}
    assert set(shown) == {(name, arm) for name in ("click_rate", "p95_latency") for arm in ("control", "treatment")}
    assert {each.confidence for each in shown.values()} == {each.confidence for each in weigh(plan(), look)} == {0.99}
    control = shown["click_rate", "control"]
    assert control.value == pytest.approx(0.3)
    assert control.low is not None
    assert control.high is not None
    assert control.low < 0.3 < control.high
    latency = shown["p95_latency", "control"]
    assert latency.low is not None
    assert latency.high is not None
    assert latency.low < 100 < latency.high
    assert measure(plan(test="fixed"), look)[0].confidence == 0.95
    few = see(click_rate=rates(0.3, 0.5, units=(5, 400)))
    assert [each.value is None for each in measure(plan(), few)] == [True, False]
