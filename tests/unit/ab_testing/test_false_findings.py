"""Whole experiments, simulated: no difference is hardly ever found, a difference mostly is."""

import pytest

from bench.ab import World, run, simulate


def test_an_experiment_without_a_difference_finds_none_under_continuous_looks() -> None:
    [bar] = run(seed=0, quick=True)
    assert bar["id"] == "loop.4"
    assert bar["bound"] == 0.05
    assert bar["value"] <= 0.05
    assert bar["met"]


def test_the_seed_decides_everything() -> None:
    world = World(searches=400, users=200, looks=5)
    assert simulate(3, 5, world) == simulate(3, 5, world)
    assert simulate(3, 5, world) != simulate(4, 5, world)


@pytest.mark.parametrize(("lift", "decision"), [(0.35, "promote"), (-0.35, "rollback")])
def test_a_large_difference_is_found_early(lift: float, decision: str) -> None:
    outcomes = simulate(1, 40, World(lift=lift, looks=20))
    ends = [str(outcome.decision) for outcome in outcomes]
    assert ends.count(decision) >= 0.85 * len(outcomes)
    early = sorted(outcome.searches for outcome in outcomes)[len(outcomes) // 2]
    assert early < World().searches


def test_more_searches_find_more() -> None:
    def found(searches: int) -> int:
        world = World(users=searches, searches=searches, looks=4, lift=0.15)
        return sum(outcome.decision == "promote" for outcome in simulate(2, 60, world))

    assert found(1000) < found(8000)
    assert found(8000) >= 0.9 * 60
