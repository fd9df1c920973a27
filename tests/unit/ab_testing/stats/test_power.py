"""Searches and days follow from the effect, and the effect from them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ab_testing.stats.power import MAX_DAYS, MetricNoise, Trial, Window, steady_noise

FIXED = Trial(alpha=0.05, power=0.8, sequential=False)
MANY = steady_noise(0.3 * 0.7, 1e6)

noises = st.floats(1e-4, 10.0)
rates = st.floats(10.0, 1e6)
effects = st.floats(1e-3, 0.5)


def returning(users: int, a_day: float, within: float, between: float) -> MetricNoise:
    """Return the noise of so many users who come back for ever, read from 14 days."""
    windows = []
    for days in (1.75, 3.5, 7.0, 14.0):
        searches = a_day * days
        windows.append(Window(days, searches, within + between * searches / users, users))
    return MetricNoise(tuple(windows))


def test_the_textbook_sample_of_two_shares() -> None:
    days = FIXED.days_needed(MANY, 0.02)
    assert days is not None
    expected = 4 * (1.959964 + 0.841621) ** 2 * 0.21 / 0.02**2
    assert FIXED.searches(MANY, days) == pytest.approx(expected, rel=1e-3)


@given(noises, rates, effects)
def test_the_planned_days_find_the_effect_and_no_smaller_one(noise: float, rate: float, effect: float) -> None:
    known = steady_noise(noise, rate)
    days = Trial().days_needed(known, effect)
    if days is None:
        assert Trial().smallest_effect(known, MAX_DAYS) > effect
        return
    assert Trial().smallest_effect(known, days) <= effect * (1 + 1e-6)
    assert Trial().chance(known, effect, days) >= 0.8 - 1e-6


@given(noises, rates, effects, st.floats(0.05, 1.0))
def test_a_part_of_the_traffic_takes_as_many_searches_and_longer(
    noise: float, rate: float, effect: float, coverage: float
) -> None:
    known = steady_noise(noise, rate)
    whole, part = Trial().days_needed(known, effect), Trial(coverage=coverage).days_needed(known, effect)
    if part is None or whole is None or FIXED.searches(known, whole) < 1000:
        return  # Student's distribution asks for more where the units are few
    assert part * coverage == pytest.approx(whole, rel=0.01)


def test_what_asks_for_more_takes_longer() -> None:
    known = steady_noise(0.3, 1000.0)
    usual = Trial().days_needed(known, 0.02)
    dearer = (
        Trial(power=0.9),
        Trial(alpha=0.01),
        Trial(comparisons=3),
        Trial(shares=(0.1, 0.9)),
        Trial(shares=(0.25, 0.25)),
    )
    assert usual is not None
    for trial in dearer:
        assert (trial.days_needed(known, 0.02) or math.inf) > usual
    for trial in (Trial(sequential=False), Trial(one_sided=True), Trial(shares=())):
        assert (trial.days_needed(known, 0.02) or math.inf) < usual


def test_users_who_come_back_add_less_and_less() -> None:
    once, again = steady_noise(0.25, 1000.0), returning(2000, 1000.0, 0.25, 0.05)
    assert again.after(14.0) == pytest.approx(0.25 + 0.05 * 7)
    assert again.after(28.0) == pytest.approx(0.25 + 0.05 * 14)
    assert (Trial().days_needed(again, 0.05) or 0.0) > (Trial().days_needed(once, 0.05) or 0.0)


def test_too_few_users_never_prove_a_small_effect_however_often_they_come() -> None:
    assert Trial().days_needed(returning(200, 1000.0, 0.25, 0.05), 0.01) is None


def test_few_units_ask_for_more_than_the_normal_distribution() -> None:
    few = MetricNoise((Window(1.0, 1000.0, 0.3, 12.0),))
    assert Trial().smallest_effect(few, 1.0) > 1.1 * Trial().smallest_effect(steady_noise(0.3, 1000.0), 1.0)
