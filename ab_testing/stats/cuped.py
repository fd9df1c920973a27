"""CUPED: what units did before the experiment explains part of what they do in it (Deng et al., WSDM 2013).

For a ratio x / y each unit is made linear first: (x - R y) / mean(y), and the same with what it did before. Regressing
the one on the other, within the arms, leaves less noise and no bias: what came before cannot depend on the arm. Units
without history get 0 and an indicator of their own, so they neither gain nor lose.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ab_testing.stats.ratio import Estimate, RatioStatistics

HistoryTable = Mapping[tuple[int, int, int, int], int]
"""(x, y, x before, y before) -> number of units; y before is 0 where there is no history."""


@dataclass(frozen=True, slots=True)
class HistoryStatistics:
    """Sums over the units of one arm, of x and y in the experiment and u and w before it.

    Attributes:
        ratio: Sums of x and y.
        before: Sums of u and w, over the units with history.
        sum_xu: Sum of the products of x and u, and so on.
        known_x: Sum of x over the units with history.
        known_y: Sum of y over them.
    """

    ratio: RatioStatistics
    before: RatioStatistics
    sum_xu: float
    sum_xw: float
    sum_yu: float
    sum_yw: float
    known_x: float
    known_y: float

    @classmethod
    def of_table(cls, table: HistoryTable, cap: int | None = None, before_cap: int | None = None) -> HistoryStatistics:
        """Return the sums; a unit above a cap counts with a smaller weight, as in `RatioStatistics.of_table`."""
        now: dict[tuple[int, int], int] = {}
        before: dict[tuple[int, int], int] = {}
        terms: list[tuple[float, ...]] = []
        for (x, y, u, w), count in table.items():
            if not y:
                continue
            now[x, y] = now.get((x, y), 0) + count
            if w:
                before[u, w] = before.get((u, w), 0) + count
                one, other = y if cap is None else min(y, cap), w if before_cap is None else min(w, before_cap)
                weight, divisor = count * one * other, y * w
                crossed = tuple(weight * product / divisor for product in (x * u, x * w, y * u, y * w))
                terms.append((*crossed, count * one * x / y, float(count * one)))
        sums = map(math.fsum, zip(*terms, strict=True)) if terms else (0.0,) * 6
        return cls(RatioStatistics.of_table(now, cap), RatioStatistics.of_table(before, before_cap), *sums)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> HistoryStatistics:
        """Return the statistics that `asdict` wrote."""
        return cls(**{**value, **{name: RatioStatistics(**value[name]) for name in ("ratio", "before")}})


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Ratios freed from what history explains.

    Attributes:
        arms: The adjusted ratio of each arm.
        known: Share of the units that have history.
        variance: Variance of the adjusted ratios relative to the raw ones', of all arms together.
    """

    arms: dict[str, Estimate]
    known: float
    variance: float


def adjust(arms: Mapping[str, HistoryStatistics]) -> Adjusted:
    """Return the adjusted ratio of every arm, with one slope for all arms.

    Raises:
        ValueError: An arm has fewer than two units, or no denominator above 0.
    """
    raw = {name: arm.ratio.estimate() for name, arm in arms.items()}
    before = [arm.before for arm in arms.values()]
    known, units = sum(one.n for one in before), sum(arm.ratio.n for arm in arms.values())
    before_y = math.fsum(one.sum_y for one in before)
    if not before_y:
        return Adjusted(raw, 0.0, 1.0)
    rate, mean = math.fsum(one.sum_x for one in before) / before_y, before_y / known
    moments = {name: _moments(arm, rate, mean) for name, arm in arms.items()}
    slope, step = _regress([_within(one) for one in moments.values()])
    shares = known / units
    linear = math.fsum(one.linear for one in moments.values()) / units
    adjusted, raw_squares, left_squares = {}, 0.0, 0.0
    for name, one in moments.items():
        total, residual = _squares(one, slope, step)
        raw_squares, left_squares = raw_squares + total, left_squares + residual
        value = raw[name].value - slope * (one.linear / one.n - linear) - step * (one.known / one.n - shares)
        error = math.sqrt(max(residual, 0.0) / (one.n - 1) / one.n)
        adjusted[name] = Estimate(value, error, raw[name].degrees)
    return Adjusted(adjusted, shares, left_squares / raw_squares if raw_squares else 1.0)


@dataclass(frozen=True, slots=True)
class _Moments:
    """Sums over an arm's units of l = (x - R y) / mean(y), p = (u - Q w) / mean(w) and h, whether there is history."""

    n: int
    known: int
    linear: float
    squares: float
    p_squares: float
    lp: float
    lh: float


def _moments(arm: HistoryStatistics, rate: float, mean: float) -> _Moments:
    now, before = arm.ratio, arm.before
    own, scale = now.sum_x / now.sum_y, now.sum_y / now.n
    return _Moments(
        n=now.n,
        known=before.n,
        linear=(before.sum_x - rate * before.sum_y) / mean,
        squares=(now.sum_xx - 2 * own * now.sum_xy + own**2 * now.sum_yy) / scale**2,
        p_squares=(before.sum_xx - 2 * rate * before.sum_xy + rate**2 * before.sum_yy) / mean**2,
        lp=(arm.sum_xu - rate * arm.sum_xw - own * (arm.sum_yu - rate * arm.sum_yw)) / (scale * mean),
        lh=(arm.known_x - own * arm.known_y) / scale,
    )


def _within(one: _Moments) -> tuple[float, float, float, float, float]:
    """Return the centred sums pp, ph, hh, lp and lh; the sum of l itself is 0."""
    return (
        one.p_squares - one.linear**2 / one.n,
        one.linear - one.linear * one.known / one.n,
        one.known - one.known**2 / one.n,
        one.lp,
        one.lh,
    )


def _regress(parts: list[tuple[float, float, float, float, float]]) -> tuple[float, float]:
    """Return the slopes of l on p and on h; 0 for one that does not vary."""
    pp, ph, hh, lp, lh = (math.fsum(column) for column in zip(*parts, strict=True))
    determinant = pp * hh - ph**2
    if determinant > 1e-9 * pp * hh:
        return (hh * lp - ph * lh) / determinant, (pp * lh - ph * lp) / determinant
    return (lp / pp, 0.0) if pp > 0 else (0.0, lh / hh if hh > 0 else 0.0)


def _squares(one: _Moments, slope: float, step: float) -> tuple[float, float]:
    """Return the sum of squares of l, and what is left of it."""
    pp, ph, hh, lp, lh = _within(one)
    explained = 2 * (slope * lp + step * lh) - slope**2 * pp - 2 * slope * step * ph - step**2 * hh
    return one.squares, one.squares - explained
