"""How much one unit may count: limits read from all arms together, blind to which arm a unit is in.

A limit that knew the arms could make a difference of its own. One that everybody shares only says what is measured: a
mean in which no user counts for more than some dozens of the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from ab_testing.stats.table import Integers, Table, columns, sum_by

MAX_SHARE = 1 / 64
"""Largest share of all capped denominators that one unit may have."""

CAP_QUANTILE = 0.99
"""Share of the units whose denominators count in full at least."""

WINSOR_QUANTILE = 0.999
"""Share of the units with a numerator above 0 whose numerators count in full at least."""


def denominator_cap(tables: Iterable[Table]) -> int | None:
    """Return the largest denominator that counts in full; None without units.

    It is the largest one with which no unit has more than `MAX_SHARE` of the sum of capped denominators, and at most
    the pooled 99th percentile. With fewer units than 1 / `MAX_SHARE` every unit counts alike.
    """
    denominators, units = _pooled([columns(table)[1:] for table in tables])
    if not len(denominators):
        return None
    return max(1, min(_balanced(denominators, units), _quantile(denominators, units, CAP_QUANTILE)))


def winsorised(tables: Mapping[str, Table]) -> dict[str, dict[tuple[int, int], int]]:
    """Return the tables with every numerator cut at the pooled 99.9th percentile of those above 0."""
    numerators, units = _pooled([columns(table)[::2] for table in tables.values()])
    limit = _quantile(numerators, units, WINSOR_QUANTILE) if len(numerators) else 0
    cut: dict[str, dict[tuple[int, int], int]] = {}
    for arm, table in tables.items():
        kept: Counter[tuple[int, int]] = Counter()
        for (x, y), count in table.items():
            kept[min(x, limit), y] += count
        cut[arm] = dict(kept)
    return cut


def _pooled(arms: list[tuple[Integers, ...]]) -> tuple[Integers, Integers]:
    """Return the values above 0 in order, and how many units of all arms have each."""
    value, count = (np.concatenate([arm[place] for arm in arms]) if arms else np.empty(0) for place in (0, 1))
    values, counts = sum_by(value[value > 0], count[value > 0])
    return values, counts


def _balanced(denominators: Integers, units: Integers) -> int:
    """Return the largest cap c with c <= MAX_SHARE * sum(min(y, c)), 0 when there is none.

    Where c lies at y or above it, but below the next larger denominator, the units above it count c each. The others
    sum up to `below`, so that c * (1 / MAX_SHARE - above) <= below.
    """
    y, count = denominators[::-1], units[::-1]
    above = np.cumsum(count) - count
    below = (y * count)[::-1].cumsum()[::-1]
    left = round(1 / MAX_SHARE) - above
    open_ended = np.flatnonzero(left > 0)
    limit = below[open_ended] // left[open_ended]
    fits = np.flatnonzero(limit >= y[open_ended])
    return min(int(y[0]), int(limit[fits[0]])) if len(fits) else 0


def _quantile(values: Integers, counts: Integers, share: float) -> int:
    """Return the smallest value that is at least as large as `share` of all."""
    seen = np.cumsum(counts).astype(np.float64)
    return int(values[np.searchsorted(seen, share * seen[-1])])
