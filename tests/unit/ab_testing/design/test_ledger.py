"""The yearly number of false promotions follows from the schedule, and alpha from the number."""

import pytest

from ab_testing.design.ledger import affordable, alpha_within, experiments_a_year, false_promotions_a_year


def test_one_experiment_a_day_at_five_percent_promotes_nine_times_a_year_in_vain() -> None:
    assert false_promotions_a_year(0.05, experiments_a_year(24)) == pytest.approx(9.125)


@pytest.mark.parametrize(("budget", "hours"), [(1.0, 24), (2.0, 24 * 7), (0.1, 12)])
def test_the_alpha_of_a_budget_keeps_to_it(budget: float, hours: float) -> None:
    alpha = alpha_within(budget, experiments_a_year(hours))
    assert false_promotions_a_year(alpha, experiments_a_year(hours)) <= budget + 1e-12


def test_a_rich_budget_raises_alpha_no_further_than_a_plan_takes() -> None:
    assert alpha_within(1000, experiments_a_year(24 * 30)) == 0.2


def test_two_schedules_make_as_many_as_both() -> None:
    assert experiments_a_year(24, 0) == experiments_a_year(24)
    assert experiments_a_year(24, 24 * 7) == pytest.approx(365 + 365 / 7)


def test_the_budget_of_a_year_is_spent_experiment_by_experiment() -> None:
    alpha = alpha_within(1.0, experiments_a_year(24))
    assert affordable(1.0, [alpha] * 364, alpha)
    assert not affordable(1.0, [alpha] * 365, alpha)
