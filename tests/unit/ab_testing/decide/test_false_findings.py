"""Whole experiments, simulated: no difference is hardly ever found, a difference mostly is.

About 4.6 % of experiments without a difference end in a finding. Two thousand of them tell that
from 5 %; two hundred are over 5 % by chance in three runs of ten.
"""

import pytest

from benchmarks.ab import BOUND, Scenario, run, simulate


def test_an_experiment_without_a_difference_finds_none_at_ten_looks() -> None:
    outcomes = simulate(0, 2000, Scenario(looks=10))
    assert sum(outcome.significant for outcome in outcomes) / len(outcomes) <= BOUND


@pytest.mark.slow
def test_an_experiment_without_a_difference_finds_none_under_continuous_looks() -> None:
    [bar] = run(seed=0, quick=True)
    assert (bar["id"], bar["bound"]) == ("loop.4", 0.05)
    assert bar["value"] <= 0.05
    assert bar["met"]


def test_a_few_busy_users_cause_no_more_findings() -> None:
    outcomes = simulate(5, 1000, Scenario(users=150, looks=5))
    assert sum(outcome.significant for outcome in outcomes) / len(outcomes) <= 0.06


def test_the_seed_decides_everything() -> None:
    scenario = Scenario(searches=2000, looks=20, lift=0.35)
    assert simulate(3, 10, scenario) == simulate(3, 10, scenario)
    assert simulate(3, 10, scenario) != simulate(4, 10, scenario)


@pytest.mark.parametrize(("lift", "decision"), [(0.35, "promote"), (-0.35, "rollback")])
def test_a_large_difference_is_found_early(lift: float, decision: str) -> None:
    outcomes = simulate(1, 40, Scenario(lift=lift, looks=20))
    ends = [str(outcome.decision) for outcome in outcomes]
    assert ends.count(decision) >= 0.85 * len(outcomes)
    median = sorted(outcome.searches for outcome in outcomes)[len(outcomes) // 2]
    assert median < Scenario().searches


def test_more_searches_find_more() -> None:
    def found(searches: int) -> int:
        scenario = Scenario(users=searches, searches=searches, looks=4, lift=0.15)
        return sum(outcome.decision == "promote" for outcome in simulate(2, 60, scenario))

    assert found(1000) < 30
    assert found(8000) > 45
