"""The simulation computes what the product computes, at every look and for every audience."""

import numpy as np
import pytest

from ab_testing.decide.evidence import weigh
from benchmarks.experiments.false_findings import SCENARIOS
from benchmarks.experiments.simulate import draw, look_at, trace, with_effect

LOOKS = 40


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_sums_of_all_looks_are_those_of_each(name: str) -> None:
    audience = SCENARIOS[name]
    stream = draw(np.random.default_rng(3), audience)
    traces = trace(audience, stream, LOOKS)
    for place, searches in enumerate(traces.searches.tolist()):
        evidence = weigh(audience.plan, look_at(audience, stream, searches))[0]
        if evidence.estimate is None or evidence.standard_error is None:
            assert np.isnan(traces.effect[place])
        else:
            assert evidence.estimate == pytest.approx(traces.effect[place], rel=1e-9, abs=1e-12)
            assert evidence.estimate / evidence.standard_error == pytest.approx(traces.z[place], rel=1e-9, abs=1e-12)
    assert traces.searches[-1] == audience.searches


@pytest.mark.parametrize("name", ["ctr30", "csat", "fcr", "interleaving"])
def test_a_planted_effect_is_measured(name: str) -> None:
    audience = with_effect(SCENARIOS[name], seed=1, power=5.0)
    random = np.random.default_rng(2)
    measured = [trace(audience, draw(random, audience), 1).effect[0] for _ in range(60)]
    assert np.mean(measured) == pytest.approx(audience.effect, rel=0.15)


def test_the_seed_decides_everything() -> None:
    audience = SCENARIOS["bursts"]
    one, same, other = (draw(np.random.default_rng(seed), audience) for seed in (1, 1, 2))
    assert np.array_equal(one.user, same.user)
    assert np.array_equal(one.x, same.x)
    assert not np.array_equal(one.x, other.x)
