"""How many false promotions a year a schedule of experiments makes, and the alpha that keeps to a number (pure)."""

from __future__ import annotations

from collections.abc import Iterable

from ab_testing.design.plan import MAX_ALPHA

_HOURS_A_YEAR = 365 * 24


def experiments_a_year(*every_hours: float) -> float:
    """Return how many experiments a year schedules make that begin one every so many hours; 0 hours begin none."""
    return sum(_HOURS_A_YEAR / hours for hours in every_hours if hours)


def false_promotions_a_year(alpha: float, experiments: float) -> float:
    """Return how many promotions a year are false at most, were no candidate ever better.

    A test at `alpha` finds a difference falsely with that probability, and half of those say that the treatment is
    better.

    Args:
        experiments: Experiments a year.
    """
    return experiments * alpha / 2


def alpha_within(budget: float, experiments: float) -> float:
    """Return the alpha of each experiment that keeps to `budget` false promotions a year, at most what a plan takes."""
    return min(MAX_ALPHA, 2 * budget / experiments)


def affordable(budget: float, alphas: Iterable[float], alpha: float) -> bool:
    """Return whether one more experiment at `alpha` keeps a year to the budget of false promotions.

    Args:
        alphas: Of the experiments of the last 365 days that could promote. A candidate that must also pass a
            test for harm is promoted falsely no more often than the first test says, so that it counts once.
    """
    spent = sum(false_promotions_a_year(one, 1) for one in alphas)
    return spent + false_promotions_a_year(alpha, 1) <= budget * (1 + 1e-9)
