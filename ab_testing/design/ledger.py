"""How many false promotions a year a schedule of experiments makes, and the alpha that keeps to a number (pure)."""

from __future__ import annotations

from ab_testing.design.plan import MAX_ALPHA

_HOURS_A_YEAR = 365 * 24


def experiments_a_year(every_hours: float) -> float:
    """Return how many experiments a year one every so many hours makes."""
    return _HOURS_A_YEAR / every_hours


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
