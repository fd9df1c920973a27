"""Where others compute the same formula, the figures agree to nine digits."""

import math

import numpy as np
import pyarrow as pa
import pytest
import tea_tasting as tt
from numpy.typing import NDArray
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from ab_testing.stats.ratio import Estimate, RatioStatistics, difference, log_lift
from ab_testing.stats.sequential import fixed_critical_value, fixed_p_value


@pytest.fixture(scope="module")
def arms() -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    random = np.random.default_rng(8)
    drawn = []
    for users, rate in ((400, 0.30), (310, 0.36)):
        y = random.geometric(0.25, users).astype(float)
        drawn.append((random.binomial(y.astype(int), random.beta(5 * rate, 5 * (1 - rate), users)).astype(float), y))
    return drawn


def test_a_ratio_agrees_with_tea_tasting(arms: list[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> None:
    variant = np.repeat([0, 1], [len(x) for x, _ in arms])
    x, y = (np.concatenate(column) for column in zip(*arms, strict=True))
    experiment = tt.Experiment(rate=tt.RatioOfMeans("x", "y", use_t=False))
    theirs = experiment.analyze(pa.table({"variant": variant, "x": x, "y": y}), control=0)["rate"]
    control, treatment = (RatioStatistics.of(*arm).estimate() for arm in arms)
    effect, lift = difference(control, treatment), log_lift(control, treatment)
    assert lift is not None
    assert (control.value, treatment.value) == pytest.approx((theirs.control, theirs.treatment), rel=1e-9)
    assert effect.value == pytest.approx(theirs.effect_size, rel=1e-9)
    half_width = fixed_critical_value(0.05) * effect.standard_error
    assert effect.value - half_width == pytest.approx(theirs.effect_size_ci_lower, rel=1e-9)
    assert fixed_p_value(effect.z) == pytest.approx(theirs.pvalue, rel=1e-9)
    assert math.expm1(lift.value) == pytest.approx(theirs.rel_effect_size, rel=1e-9)
    high = math.expm1(lift.value + fixed_critical_value(0.05) * lift.standard_error)
    assert high == pytest.approx(theirs.rel_effect_size_ci_upper, rel=1e-9)


def test_one_observation_a_unit_agrees_with_welch_by_statsmodels() -> None:
    random = np.random.default_rng(9)
    drawn = [random.integers(1, 6, 25), random.integers(2, 6, 60)]
    control, treatment = (RatioStatistics.of(one, np.ones(len(one))).estimate() for one in drawn)
    effect: Estimate = difference(control, treatment)
    welch = CompareMeans(DescrStatsW(drawn[1]), DescrStatsW(drawn[0]))
    t, p_value, degrees = welch.ttest_ind(usevar="unequal")
    assert (effect.z, effect.degrees) == pytest.approx((t, degrees), rel=1e-9)
    assert fixed_p_value(effect.z, effect.degrees) == pytest.approx(p_value, rel=1e-9)
    low, high = welch.tconfint_diff(usevar="unequal")
    half_width = fixed_critical_value(0.05, effect.degrees) * effect.standard_error
    assert (effect.value - half_width, effect.value + half_width) == pytest.approx((low, high), rel=1e-9)
