"""The confidence sequence and the hybrid test hold what they promise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from ab_testing.stats.sequential import (
    Hybrid,
    anytime_p_value,
    critical_value,
    fixed_critical_value,
    fixed_p_value,
    normal_value,
    one_sided_critical_value,
    rho_squared,
    student_value,
)

ALPHAS = st.floats(0.001, 0.2)
SAMPLES = st.floats(1, 1e7)
LOOKS = 14


def brownian_z(random: np.random.Generator, runs: int, drift: float) -> NDArray[np.float64]:
    """Return z at evenly spread looks, shape (runs, LOOKS), with mean `drift` at the last."""
    time = np.arange(1, LOOKS + 1) / LOOKS
    walk = np.cumsum(random.normal(0, math.sqrt(1 / LOOKS), (runs, LOOKS)), axis=1)
    return (walk + drift * time) / np.sqrt(time)


def test_the_planned_sample_costs_half_as_much_again_as_a_fixed_interval() -> None:
    assert critical_value(5000, 5000, 0.05) / 1.959964 == pytest.approx(1.55, abs=0.005)


def test_formula_against_values_computed_by_hand() -> None:
    # W(-0.05**2 / e) = -9.21197 on the branch -1, so n rho**2 = 8.21197 at the planned sample, and
    # the half width is sqrt(2 * 9.21197 / 8.21197 * ln(sqrt(9.21197) / 0.05)) = 3.03512.
    assert -9.21197 * math.exp(-9.21197) == pytest.approx(-(0.05**2) / math.e, rel=1e-4)
    assert rho_squared(1000, 0.05) == pytest.approx(0.00821197, rel=1e-6)
    assert critical_value(1000, 1000, 0.05) == pytest.approx(3.03512, rel=1e-5)


@given(n=SAMPLES, planned=SAMPLES, alpha=ALPHAS)
def test_it_is_the_normal_mixture_of_howard_et_al(n: float, planned: float, alpha: float) -> None:
    mixture = 1 / rho_squared(planned, alpha)
    boundary = math.sqrt((n + mixture) * math.log((n + mixture) / (mixture * alpha**2)))
    assert critical_value(n, planned, alpha) == pytest.approx(boundary / math.sqrt(n), rel=1e-9)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_rho_makes_the_sequence_tightest_at_the_planned_sample(alpha: float) -> None:
    def half_width(log_time: float) -> float:
        a = math.exp(log_time) + 1
        return math.sqrt(2 * a / (a - 1) * math.log(math.sqrt(a) / alpha))

    best = minimize_scalar(half_width, bounds=(-3, 6), method="bounded")
    assert math.log(rho_squared(700, alpha) * 700) == pytest.approx(float(best.x), abs=1e-3)


@given(z=st.floats(-20, 20), n=SAMPLES, planned=SAMPLES, alpha=ALPHAS)
def test_the_p_value_is_small_exactly_when_the_sequence_excludes_zero(
    z: float, n: float, planned: float, alpha: float
) -> None:
    excludes = abs(z) > critical_value(n, planned, alpha) * (1 + 1e-9)
    includes = abs(z) < critical_value(n, planned, alpha) * (1 - 1e-9)
    p_value = anytime_p_value(z, n, planned, alpha)
    assert not excludes or p_value < alpha
    assert not includes or p_value > alpha
    assert 0 <= p_value <= 1


def test_certainty_has_p_value_zero_and_ignorance_one() -> None:
    assert anytime_p_value(math.inf, 100, 1000, 0.01) == 0.0
    assert anytime_p_value(0.0, 100, 1000, 0.01) == 1.0


@given(planned=SAMPLES, alpha=st.floats(0.001, 0.1))
def test_one_sided_bounds_are_tighter_than_two_sided_at_the_planned_sample(planned: float, alpha: float) -> None:
    assert one_sided_critical_value(planned, planned, alpha) < critical_value(planned, planned, alpha)


def test_no_sample_has_no_bound() -> None:
    assert critical_value(0, 1000, 0.05) == math.inf
    assert one_sided_critical_value(0, 1000, 0.01) == math.inf


@pytest.mark.parametrize(("planned", "alpha"), [(0, 0.05), (100, 0), (100, 1)])
def test_senseless_plans_are_refused(planned: float, alpha: float) -> None:
    with pytest.raises(ValueError, match="planned > 0 and 0 < alpha < 1"):
        rho_squared(planned, alpha)


def test_fixed_p_values_are_the_normal_ones() -> None:
    assert fixed_p_value(1.959964) == pytest.approx(0.05, abs=1e-6)
    assert fixed_p_value(-2.575829) == pytest.approx(0.01, abs=1e-6)


def test_few_degrees_of_freedom_ask_for_more() -> None:
    assert fixed_p_value(2.228139, 10) == pytest.approx(0.05, abs=1e-6)
    test = Hybrid(0.05, 4000)
    assert test.critical_value(4000, at_end=True, degrees=40) == pytest.approx(2.123, abs=1e-3)
    assert test.critical_value(4000, at_end=False, degrees=40) == test.critical_value(4000, at_end=False)


def test_the_hybrid_spends_alpha_once() -> None:
    test = Hybrid(0.05, 4000)
    assert test.running_alpha == pytest.approx(0.01)
    assert test.final_alpha == pytest.approx(0.04)
    assert test.critical_value(4000, at_end=True) == pytest.approx(2.0537, abs=1e-4)
    assert test.critical_value(4000, at_end=False) == pytest.approx(critical_value(4000, 4000, 0.01))


def findings(z: NDArray[np.float64], test: Hybrid) -> float:
    bounds = [test.critical_value(look / LOOKS * test.planned, at_end=look == LOOKS) for look in range(1, LOOKS + 1)]
    return float((np.abs(z) > bounds).any(axis=1).mean())


def test_looking_fourteen_times_keeps_the_error_below_alpha() -> None:
    z = brownian_z(np.random.default_rng(1), 20_000, drift=0.0)
    assert (np.abs(z) > 1.96).any(axis=1).mean() > 0.15
    assert findings(z, Hybrid(0.05, 4000)) == pytest.approx(0.041, abs=0.006)


def test_the_hybrid_finds_what_a_fixed_test_finds_at_eighty_percent() -> None:
    z = brownian_z(np.random.default_rng(2), 20_000, drift=1.959964 + 0.841621)
    sequence = [critical_value(look / LOOKS, 1, 0.05) for look in range(1, LOOKS + 1)]
    assert findings(z, Hybrid(0.05, 4000)) == pytest.approx(0.775, abs=0.015)
    assert (np.abs(z) > sequence).any(axis=1).mean() == pytest.approx(0.48, abs=0.03)


def test_a_one_sided_bound_is_crossed_at_most_as_often_as_it_says() -> None:
    z = brownian_z(np.random.default_rng(3), 20_000, drift=0.0)
    bounds = [one_sided_critical_value(look / LOOKS, 1, 0.05) for look in range(1, LOOKS + 1)]
    assert (z < -np.array(bounds)).any(axis=1).mean() <= 0.05


@given(value=st.floats(-12, 12), degrees=st.floats(5, 1e6))
def test_student_and_normal_values_are_equally_rare(value: float, degrees: float) -> None:
    student = student_value(abs(value), degrees)
    assert student >= abs(value) - 1e-9
    assert normal_value(math.copysign(student, value), degrees) == pytest.approx(value, abs=1e-6)


def test_infinite_values_stay_infinite() -> None:
    assert student_value(math.inf, 9) == math.inf
    assert normal_value(-math.inf, 9) == -math.inf
    assert normal_value(0.0, 9) == 0.0
    assert fixed_critical_value(0.05) == pytest.approx(1.959964)
    assert fixed_critical_value(0.05, 10) == pytest.approx(2.228139)
