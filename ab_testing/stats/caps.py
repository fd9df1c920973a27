"""How much one unit may count: limits read from all arms together, blind to which arm a unit is in.

A limit that knew the arms could make a difference of its own. One that everybody shares only says what is measured: a
mean in which no user counts for more than some dozens of the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

Table = Mapping[tuple[int, int], int]

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
    counts = _pooled((y, count) for table in tables for (_, y), count in table.items())
    if not counts:
        return None
    return max(1, min(_balanced(counts), _quantile(counts, CAP_QUANTILE)))


def winsorised(tables: Mapping[str, Table]) -> dict[str, dict[tuple[int, int], int]]:
    """Return the tables with every numerator cut at the pooled 99.9th percentile of those above 0."""
    counts = _pooled((x, count) for table in tables.values() for (x, _), count in table.items())
    limit = _quantile(counts, WINSOR_QUANTILE) if counts else 0
    cut: dict[str, dict[tuple[int, int], int]] = {}
    for arm, table in tables.items():
        kept: Counter[tuple[int, int]] = Counter()
        for (x, y), count in table.items():
            kept[min(x, limit), y] += count
        cut[arm] = dict(kept)
    return cut


def _pooled(values: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return how many units have each value above 0, the values in order."""
    counts: Counter[int] = Counter()
    for value, count in values:
        if value > 0 and count > 0:
            counts[value] += count
    return dict(sorted(counts.items()))


def _balanced(counts: dict[int, int]) -> int:
    """Return the largest cap c with c <= MAX_SHARE * sum(min(y, c)), 0 when there is none."""
    needed = round(1 / MAX_SHARE)
    below, above = sum(y * count for y, count in counts.items()), 0
    for y, count in sorted(counts.items(), reverse=True):
        if above < needed and below // (needed - above) >= y:
            return min(max(counts), below // (needed - above))
        below -= y * count
        above += count
    return 0


def _quantile(counts: dict[int, int], share: float) -> int:
    """Return the smallest value that is at least as large as `share` of all."""
    wanted, seen = share * sum(counts.values()), 0
    for value, count in counts.items():
        seen += count
        if seen >= wanted:
            return value
    return max(counts)
