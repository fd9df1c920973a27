"""Ratio metrics of clustered data, such as clicked searches over searches, clustered by user.

A user's searches resemble each other, so the unit of inference is the user. The variance is the
delta method's (Deng, Knoblich and Lu, KDD 2018, arXiv:1803.06336) and needs six sums only.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike

from ab_testing.stats.table import Integers, Table, columns, sum_by

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated quantity.

    Attributes:
        standard_error: Standard deviation of the guess, at least 0.
        degrees: Degrees of freedom behind the standard error.
    """

    value: float
    standard_error: float
    degrees: float = math.inf

    @property
    def z(self) -> float:
        """The value in standard errors; infinite when there is an effect and no noise at all."""
        if self.standard_error > 0:
            return self.value / self.standard_error
        return math.copysign(math.inf, self.value) if self.value else 0.0


@dataclass(frozen=True, slots=True)
class RatioStatistics:
    """Sufficient statistics of a ratio sum(x) / sum(y) over `n` units, each with its own x and y.

    Statistics of disjoint sets of units add up.

    Raises:
        ValueError: No set of n units with y >= 0 has these sums.
    """

    n: int = 0
    sum_x: float = 0.0
    sum_y: float = 0.0
    sum_xx: float = 0.0
    sum_yy: float = 0.0
    sum_xy: float = 0.0

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, asdict(self).values())):
            raise ValueError(f"ratio statistics must be finite numbers: {self}")
        if self.n < 0 or self.sum_y < 0 or self.sum_xx < 0 or self.sum_yy < 0:
            raise ValueError(f"the count, the denominator and sums of squares cannot be below 0: {self}")
        for name, square, bound in (
            ("sum_x", self.sum_x**2, self.n * self.sum_xx),
            ("sum_y", self.sum_y**2, self.n * self.sum_yy),
            ("sum_xy", self.sum_xy**2, self.sum_xx * self.sum_yy),
        ):
            if square > bound * (1 + _ROUNDING) + _ROUNDING:
                raise ValueError(f"{name} is larger than its sums of squares allow (Cauchy-Schwarz): {self}")

    def __add__(self, other: RatioStatistics) -> RatioStatistics:
        theirs = asdict(other)
        return RatioStatistics(**{name: value + theirs[name] for name, value in asdict(self).items()})

    @classmethod
    def of(cls, x: ArrayLike, y: ArrayLike) -> RatioStatistics:
        """Return the statistics of units given by their numerators and denominators, two arrays of shape (n,)."""
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        return cls(len(x), *map(float, (x.sum(), y.sum(), x @ x, y @ y, x @ y)))

    @classmethod
    def of_table(cls, table: Table, cap: int | None = None, scale: float = 1) -> RatioStatistics:
        """Return the statistics of units counted by their numerator and denominator.

        A unit whose denominator y exceeds the cap counts with weight cap / y, in the numerator too. Units with the
        denominator 0 say nothing of the ratio and are left out. The sums are the exact ones, rounded once: the order of
        the table does not matter, and every machine gets the same bits.

        Args:
            table: (x, y) -> number of units.
            cap: Largest denominator that counts in full; None for no cap.
            scale: Factor of every numerator.
        """
        x, y, count = columns(table)
        x, y, count = x[y > 0], y[y > 0], count[y > 0]
        full = np.ones(len(y), dtype=bool) if cap is None else (y <= cap).astype(bool)
        terms = [_whole_sums(x[full], y[full], count[full])]
        if cap is not None and not full.all():
            x, y, busy = x[~full], y[~full], count[~full]
            rows = sum_by(y, busy, busy * x, busy * x * x)
            terms += [_weighted(cap, *row) for row in zip(*(column.tolist() for column in rows), strict=True)]
        sum_x, sum_y, sum_xx, sum_yy, sum_xy = map(math.fsum, zip(*terms, strict=True))
        n = int(count.sum())
        return cls(n, sum_x * scale, sum_y, sum_xx * scale**2, sum_yy, sum_xy * scale)

    @property
    def effective_units(self) -> float:
        """How many equally busy units would be as informative; never above n.

        A few very busy units make the estimate as uncertain as few units would (Kish's effective
        size; Carter, Schnepel and Steigerwald 2017 for clusters).
        """
        return self.sum_y**2 / self.sum_yy if self.sum_yy else 0.0

    def estimate(self) -> Estimate:
        """Return the ratio and its standard error.

        Raises:
            ValueError: There are fewer than two units, or the denominator is 0.
        """
        if self.n < 2 or self.sum_y <= 0:
            raise ValueError(f"a ratio needs two units and a denominator above 0, not {self}")
        ratio = self.sum_x / self.sum_y
        squares = self.sum_xx - 2 * ratio * self.sum_xy + ratio**2 * self.sum_yy
        variance = max(squares, 0.0) * self.n / (self.n - 1) / self.sum_y**2
        return Estimate(ratio, math.sqrt(variance), max(self.effective_units - 1, 1.0))


def difference(control: Estimate, treatment: Estimate, factor: float = 1) -> Estimate:
    """Return treatment minus `factor` times the control, from independent units, with Welch's degrees of freedom."""
    scaled = Estimate(factor * control.value, abs(factor) * control.standard_error, control.degrees)
    noise = math.hypot(scaled.standard_error, treatment.standard_error)
    return Estimate(treatment.value - scaled.value, noise, _welch_degrees(scaled, treatment))


def log_lift(control: Estimate, treatment: Estimate) -> Estimate | None:
    """Return ln(treatment / control), whose interval is exponentiated into one of the relative lift.

    None when either is not well above 0 (1.96**2 * SE**2 / value**2 > 0.1): the normal approximation
    of a logarithm does not hold there, while that of the difference still does.
    """
    if not (_well_above_zero(control) and _well_above_zero(treatment)):
        return None
    return difference(_logarithm(control), _logarithm(treatment))


def _whole_sums(x: Integers, y: Integers, count: Integers) -> tuple[float, ...]:
    """Return the sums x, y, xx, yy and xy of units that count in full."""
    return tuple(float(int((count * product).sum())) for product in (x, y, x * x, y * y, x * y))


def _weighted(cap: int, y: int, count: int, sum_x: int, sum_xx: int) -> tuple[float, ...]:
    """Return the sums x, y, xx, yy and xy of units that share y and count with weight cap / y."""
    return (
        cap * sum_x / y,
        float(cap * count),
        cap**2 * sum_xx / y**2,
        float(cap**2 * count),
        cap**2 * sum_x / y,
    )


def _welch_degrees(one: Estimate, other: Estimate) -> float:
    """Return the degrees of freedom of a sum of two variances (Satterthwaite)."""
    total = one.standard_error**2 + other.standard_error**2
    if total == 0:
        return one.degrees + other.degrees
    weight = sum((each.standard_error**2 / total) ** 2 / each.degrees for each in (one, other))
    return 1 / weight if weight else math.inf


def _logarithm(estimate: Estimate) -> Estimate:
    return Estimate(math.log(estimate.value), estimate.standard_error / estimate.value, estimate.degrees)


def _well_above_zero(estimate: Estimate) -> bool:
    return estimate.value > 0 and 1.96**2 * (estimate.standard_error / estimate.value) ** 2 <= 0.1
