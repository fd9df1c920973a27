"""Sample ratio mismatch is found when it is there, and hardly ever when it is not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ab_testing.stats.srm import chi_square_p_value, log_bayes_factor, mismatch, mismatched_segments, refuses

EVEN = (0.5, 0.5)
COUNTS = st.integers(0, 10**6)


def test_chi_square_of_a_published_mismatch() -> None:
    # Kohavi, Tang and Xu, Trustworthy Online Controlled Experiments (2020), chapter 3: p = 1.8e-6.
    assert chi_square_p_value((821_588, 815_482), EVEN) == pytest.approx(1.8e-6, rel=0.05)


def test_bayes_factor_by_hand() -> None:
    # Posterior predictive of two units in one arm, (50/100) (51/101), against 1/4.
    assert log_bayes_factor((2, 0), EVEN) == pytest.approx(math.log(50 / 100 * 51 / 101 * 4))
    assert log_bayes_factor((1, 0), EVEN) == pytest.approx(0.0, abs=1e-12)
    assert log_bayes_factor((0, 0), EVEN) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_the_bayes_factor_is_one_on_average_under_the_split(share: float) -> None:
    shares = (share, 1 - share)
    expected = sum(
        math.comb(30, count)
        * share**count
        * (1 - share) ** (30 - count)
        * math.exp(log_bayes_factor((count, 30 - count), shares))
        for count in range(31)
    )
    assert expected == pytest.approx(1.0)


def test_false_alarms_stay_rare_under_continuous_looks() -> None:
    random = np.random.default_rng(4)
    alarms = 0
    for _ in range(300):
        control = np.cumsum(random.random(2000) < 0.5)
        alarms += any(mismatch((int(control[n - 1]), n - int(control[n - 1])), EVEN) for n in range(50, 2001, 50))
    assert alarms <= 2


def test_a_real_mismatch_raises_the_alarm() -> None:
    assert mismatch((5200, 4700), EVEN)
    assert not mismatch((5030, 4970), EVEN)


@given(one=COUNTS, other=COUNTS)
def test_neither_arm_is_special(one: int, other: int) -> None:
    assert log_bayes_factor((one, other), EVEN) == pytest.approx(log_bayes_factor((other, one), EVEN), abs=1e-6)
    assert 0 <= chi_square_p_value((one, other), EVEN) <= 1


def test_arms_without_a_share_do_not_count() -> None:
    assert chi_square_p_value((50, 60, 0), (0.5, 0.5, 0.0)) == pytest.approx(chi_square_p_value((50, 60), EVEN))
    assert log_bayes_factor((50, 60, 0), (1, 1, 0)) == pytest.approx(log_bayes_factor((50, 60), EVEN))


def test_no_units_are_no_mismatch() -> None:
    assert chi_square_p_value((0, 0), EVEN) == 1.0
    assert not mismatch((0, 0), EVEN)


@pytest.mark.parametrize(("counts", "shares"), [((1,), EVEN), ((-1, 1), EVEN), ((1, 1), (-0.5, 1.5)), ((1, 1), (0, 0))])
def test_counts_and_shares_must_fit(counts: tuple[int, ...], shares: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="must pair up"):
        log_bayes_factor(counts, shares)


def test_segments_share_the_level_of_one_test() -> None:
    odd = [560, 440]
    factor = log_bayes_factor(odd, [0.5, 0.5])
    assert refuses(factor + 10)
    assert not refuses(math.log(1000) + 0.1, comparisons=2)
    far = {f"segment {number}": [500, 500] for number in range(9)} | {"mobile": [700, 300]}
    assert mismatched_segments(far, [0.5, 0.5]) == ["mobile"]
    assert mismatched_segments({}, [0.5, 0.5]) == []
    assert mismatched_segments({"empty": [0, 0]}, [0.5, 0.5]) == []
