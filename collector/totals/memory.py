"""Sums in memory, read as those of the database are (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from collector.fold.exposure import OutcomeKey
from collector.fold.signals import SIGNALS, CustomSignals, OutcomeSums, SearchSignals
from collector.totals.run import Ratio, Sum, UnitCounts, UnitTable, UnitTotals


class MemoryTotals:
    """What the searches of a run add up to; see `collector.totals.run.RunTotals`.

    Args:
        sums: Those of the run's searches, and of no others.
    """

    def __init__(self, sums: OutcomeSums, change: int) -> None:
        self.change = change
        arms: dict[str, set[str]] = {}
        for key in sums.signals:
            arms.setdefault(key.unit, set()).add(key.arm)
        self._arm = {unit: min(some) for unit, some in arms.items() if len(some) == 1}
        self._mixed = len(arms) - len(self._arm)
        self._signals = {key: said for key, said in sums.signals.items() if key.unit in self._arm}
        self._custom = {key: said for key, said in sums.custom.items() if key[0].unit in self._arm}
        self._latencies = {key: count for key, count in sums.latencies.items() if key.unit in self._arm}

    def tabulate(self, ratios: Sequence[Ratio], had_evidence: bool | None = None) -> dict[str, UnitTable]:
        """Return how many units have which totals, by the name of the ratio."""
        return {
            ratio.name: _table((one.arm, one.x, one.y) for one in self._sum(ratio, had_evidence)) for ratio in ratios
        }

    def per_unit(self, ratio: Ratio) -> Iterator[UnitTotals]:
        """Yield what `tabulate` counts, one unit at a time."""
        return self._sum(ratio, None)

    def units(self) -> UnitCounts:
        """Return who took part."""
        searches: Counter[str] = Counter()
        for key, said in self._signals.items():
            searches[key.arm] += said.searches
        first: dict[str, tuple[str, bool]] = {}
        for key in self._signals:
            surface, known = first.get(key.unit, (key.surface, key.known))
            first[key.unit] = min(surface, key.surface), known and key.known
        return UnitCounts(
            units=dict(Counter(self._arm.values())),
            mixed=self._mixed,
            searches=dict(searches),
            segments=dict(Counter((self._arm[unit], *segment) for unit, segment in first.items())),
        )

    def latencies(self) -> dict[str, dict[int, int]]:
        """Return how many searches of each arm lie in which bucket."""
        found: dict[str, dict[int, int]] = {}
        for key, count in self._latencies.items():
            buckets = found.setdefault(key.arm, {})
            buckets[key.bucket] = buckets.get(key.bucket, 0) + count
        return found

    def below(self, bounds: Mapping[str, int]) -> UnitTable:
        """Return how many units have which numbers of searches in buckets below their arm's bound, and in any."""
        low: Counter[str] = Counter()
        total: Counter[str] = Counter()
        for key, count in self._latencies.items():
            if key.arm in bounds:
                total[key.unit] += count
                low[key.unit] += count if key.bucket < bounds[key.arm] else 0
        return _table((self._arm[unit], low[unit], count) for unit, count in total.items())

    def _sum(self, ratio: Ratio, had_evidence: bool | None) -> Iterator[UnitTotals]:
        x: Counter[str] = Counter()
        y: Counter[str] = Counter()
        for key, said in self._signals.items():
            if _counts(key, ratio.until_day, had_evidence):
                x[key.unit] += _total(said, ratio.numerator)
                y[key.unit] += _total(said, ratio.denominator)
        for (key, name), custom in self._custom.items():
            if _counts(key, ratio.until_day, had_evidence):
                x[key.unit] += _custom_total(name, custom, ratio.numerator)
                y[key.unit] += _custom_total(name, custom, ratio.denominator)
        return (UnitTotals(unit, self._arm[unit], x[unit], total) for unit, total in y.items() if total)


def _counts(key: OutcomeKey, until_day: int | None, had_evidence: bool | None) -> bool:
    return (until_day is None or key.day <= until_day) and had_evidence in (None, key.had_evidence)


def _total(said: SearchSignals, terms: Sum) -> int:
    return sum(said[_PLACES[name]] * factor for name, factor in terms if name in _PLACES)


def _custom_total(name: str, said: CustomSignals, terms: Sum) -> int:
    parts = zip(CustomSignals._fields, said, strict=True)
    values = {f"{name}.{part}": value for part, value in parts}
    return sum(values.get(term, 0) * factor for term, factor in terms)


_PLACES = {name: place for place, name in enumerate(SIGNALS)}


def _table(units: Iterator[tuple[str, int, int]]) -> UnitTable:
    table: UnitTable = {}
    for arm, x, y in units:
        counts = table.setdefault(arm, {})
        counts[x, y] = counts.get((x, y), 0) + 1
    return table
