"""How many searches prove which effect, and which effect so many searches prove.

A two-sided test at level alpha finds an effect with probability `power` when

    effect = (t(1 - alpha / 2) + z(power)) * SE,        SE**2 = noise / n * (1 / share_control + 1 / share_treatment)

(Cohen, Statistical Power Analysis, 1988, for the normal case). For a ratio of clustered data the noise of one search is
n times the delta method's variance (Deng, Knoblich and Lu, KDD 2018), and it grows with the time that is measured: the
same users come back, and their searches resemble each other. With m searches for each effective unit it is

    noise(m) = within + between * m

(Kish 1965, the design effect), whose two parts are read from windows of history of different length.

The sequential test asks for the level of its one test at the planned end. What it finds before comes on top, which is
little at the smallest effect.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from ab_testing.stats.sequential import Hybrid, fixed_critical_value

USUAL_POWER = 0.8
MAX_DAYS = 3650.0
"""Longest experiment that is ever counted with."""

_MIN_DAYS = 1e-4
_MIN_DEGREES = 1.0


@dataclass(frozen=True, slots=True)
class Window:
    """A metric in some last days, over all units together.

    Attributes:
        searches: Searches of units that can take part.
        noise: Variance of the metric's estimate, times searches.
        units: Effective units; see `ab_testing.stats.ratio.RatioStatistics`.
    """

    days: float
    searches: float
    noise: float
    units: float

    @property
    def crowding(self) -> float:
        """Searches for each effective unit."""
        return self.searches / self.units


@dataclass(frozen=True, slots=True)
class MetricNoise:
    """How noisy a metric is after so many days.

    Attributes:
        windows: Of the same metric and the same history, the shortest first; one at least.
    """

    windows: tuple[Window, ...]

    @property
    def searches_a_day(self) -> float:
        """Searches a day of units that can take part, over the longest window."""
        return self.windows[-1].searches / self.windows[-1].days

    def crowding(self, days: float) -> float:
        """Return the searches for each effective unit after so many days.

        Beyond the history it goes on growing as in the last window.
        """
        at, found = [one.days for one in self.windows], [one.crowding for one in self.windows]
        if days <= at[-1] or len(at) < 2:
            return float(np.interp(days, at, found))
        slope = max(found[-1] - found[-2], 0.0) / (at[-1] - at[-2])
        return found[-1] + slope * (days - at[-1])

    def after(self, days: float) -> float:
        """Return the noise of one search in an experiment of so many days."""
        last = self.windows[-1]
        return max(last.noise + self._between * (self.crowding(days) - last.crowding), 0.2 * last.noise)

    @property
    def _between(self) -> float:
        """How much noise each further search of a unit adds, by least squares through the longest window."""
        last = self.windows[-1]
        steps = [(one.crowding - last.crowding, one.noise - last.noise) for one in self.windows[:-1]]
        squares = sum(step**2 for step, _ in steps)
        return max(sum(step * more for step, more in steps) / squares, 0.0) if squares > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A test of one comparison, as far as its power matters.

    Attributes:
        shares: Of the control and of one treatment, for an A/B test; none where both sides share a list.
        coverage: Share of the units that take part.
        comparisons: Comparisons that share alpha; for the least favourable one of Holm's method.
        one_sided: Whether a margin of harm is to be ruled out, instead of a difference found.
    """

    alpha: float = 0.05
    power: float = USUAL_POWER
    sequential: bool = True
    shares: tuple[float, ...] = (0.5, 0.5)
    coverage: float = 1.0
    comparisons: int = 1
    one_sided: bool = False

    def searches(self, noise: MetricNoise, days: float) -> float:
        """Return the searches that take part in so many days, of all arms."""
        return noise.searches_a_day * self.coverage * days

    def standard_error(self, noise: MetricNoise, days: float) -> float:
        """Return the standard error of the effect at the planned end after so many days."""
        spread = sum(1 / share for share in self.shares) if self.shares else 1.0
        return math.sqrt(noise.after(days) * spread / self.searches(noise, days))

    def smallest_effect(self, noise: MetricNoise, days: float) -> float:
        """Return the smallest effect that is found with the wanted power after so many days, above 0."""
        return (self._critical(noise, days) + float(ndtri(self.power))) * self.standard_error(noise, days)

    def chance(self, noise: MetricNoise, effect: float, days: float) -> float:
        """Return the probability that an effect above 0 is found after so many days."""
        return float(ndtr(effect / self.standard_error(noise, days) - self._critical(noise, days)))

    def days_needed(self, noise: MetricNoise, effect: float) -> float | None:
        """Return the days after which an effect above 0 is found with the wanted power.

        None where `MAX_DAYS` are not enough: those who search are too few, however often they come back.
        """
        return _first_at_most(lambda days: self.smallest_effect(noise, days), effect)

    def chance_by(self, standard_error: float, units: float, effect: float) -> float:
        """Return the probability that an effect above 0 is found with a standard error that was measured.

        Args:
            units: Effective units behind it.
        """
        return float(ndtr(effect / standard_error - self._critical_value(units)))

    def growth_needed(self, standard_error: float, units: float, effect: float) -> float:
        """Return how many times the searches behind a standard error find an effect above 0 with the wanted power."""
        return ((self._critical_value(units) + float(ndtri(self.power))) * standard_error / effect) ** 2

    def _critical(self, noise: MetricNoise, days: float) -> float:
        return self._critical_value(self.searches(noise, days) / noise.crowding(days))

    def _critical_value(self, units: float) -> float:
        alpha = Hybrid(self.alpha, 1.0).final_alpha if self.sequential else self.alpha
        degrees = max(units - max(len(self.shares), 1), _MIN_DEGREES)
        return fixed_critical_value(2 * alpha if self.one_sided else alpha / self.comparisons, degrees)


def _first_at_most(falling: Callable[[float], float], wanted: float) -> float | None:
    """Return where a function that falls with the days reaches a value."""
    if wanted <= 0 or falling(MAX_DAYS) > wanted:
        return None
    if falling(_MIN_DAYS) <= wanted:
        return _MIN_DAYS
    return math.exp(
        float(brentq(lambda log_days: falling(math.exp(log_days)) - wanted, math.log(_MIN_DAYS), math.log(MAX_DAYS)))
    )


def steady_noise(noise: float, searches_a_day: float) -> MetricNoise:
    """Return noise that time does not change, as is assumed where there is no history."""
    return MetricNoise((Window(1.0, searches_a_day, noise, searches_a_day),))
