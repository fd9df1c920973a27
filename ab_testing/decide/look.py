"""A look: everything that was counted of an experiment by one position of the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ab_testing.design.metric import Metric
from ab_testing.metrics.metrics import METRICS
from ab_testing.stats.caps import denominator_cap, winsorised
from ab_testing.stats.cuped import HistoryStatistics, HistoryTable
from ab_testing.stats.quantile import QuantileStatistics
from ab_testing.stats.ratio import RatioStatistics

UnitTable = Mapping[str, Mapping[tuple[int, int], int]]
"""arm -> (numerator, denominator) -> number of units."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at an experiment sees.

    Attributes:
        change: Position of the log up to which everything is counted.
        days: Days since the start.
        units: Units of each arm, without mixed ones.
        mixed: Units that were seen in more than one arm and count in none.
        searches: Searches of each arm.
        caps: Largest denominator that counts in full, by metric.
        ratios: Sums of each ratio metric, by metric and arm; a metric that nobody measured is absent.
        quantiles: Quantiles, by metric and arm; an arm with too few values is absent.
        splits: Units of each arm, by segment.
        counts: Plain sums of signals, by signal and arm, for reports.
        histories: Sums with what units did before the start, by metric and arm, for CUPED.
        strata: Where evidence is shared, the ratios of searches with and without live evidence, by stratum.
    """

    change: int
    days: float
    units: dict[str, int]
    searches: dict[str, int]
    mixed: int = 0
    caps: dict[str, int] = field(default_factory=dict)
    ratios: dict[str, dict[str, RatioStatistics]] = field(default_factory=dict)
    quantiles: dict[str, dict[str, QuantileStatistics]] = field(default_factory=dict)
    splits: dict[str, dict[str, int]] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    histories: dict[str, dict[str, HistoryStatistics]] = field(default_factory=dict)
    strata: dict[str, dict[str, dict[str, RatioStatistics]]] = field(default_factory=dict)

    @property
    def total_searches(self) -> int:
        """Searches of all arms: the sample that the sequential test counts."""
        return sum(self.searches.values())

    def to_json(self) -> dict[str, Any]:
        """Return the look as JSON values, to be read by `from_json` without any loss."""
        value = asdict(self)
        return value if self.strata else {name: one for name, one in value.items() if name != "strata"}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Look:
        """Return the look that `to_json` wrote."""
        read = {
            "ratios": lambda one: RatioStatistics(**one),
            "quantiles": lambda one: QuantileStatistics(**one),
            "histories": HistoryStatistics.from_json,
        }
        parts = {
            name: {
                metric: {arm: make(one) for arm, one in arms.items()} for metric, arms in value.get(name, {}).items()
            }
            for name, make in read.items()
        }
        strata = {
            name: {metric: {arm: RatioStatistics(**one) for arm, one in arms.items()} for metric, arms in some.items()}
            for name, some in value.get("strata", {}).items()
        }
        return cls(**value | parts | {"strata": strata})


def summarise(
    tables: Mapping[str, UnitTable], metrics: Mapping[str, Metric] = METRICS
) -> tuple[dict[str, int], dict[str, dict[str, RatioStatistics]]]:
    """Return the caps and the sums of ratio metrics, for a `Look`.

    Args:
        tables: Units of every arm, by name of the metric.
        metrics: What each of them is, by name.
    """
    caps: dict[str, int] = {}
    ratios: dict[str, dict[str, RatioStatistics]] = {}
    for name, arms in tables.items():
        metric = metrics[name]
        cap = denominator_cap(arms.values())
        if cap is None:
            continue
        caps[name] = cap
        counted = winsorised(arms) if metric.winsorised else arms
        ratios[name] = {arm: RatioStatistics.of_table(table, cap, metric.scale) for arm, table in counted.items()}
    return caps, ratios


def summarise_histories(arms: Mapping[str, HistoryTable]) -> dict[str, HistoryStatistics]:
    """Return the sums of one metric with what units did before, for a `Look`; the same caps hold as in `summarise`."""
    now = [[((x, y), count) for (x, y, _, _), count in table.items()] for table in arms.values()]
    before = [[((u, w), count) for (_, _, u, w), count in table.items()] for table in arms.values()]
    cap, before_cap = denominator_cap(map(_table, now)), denominator_cap(map(_table, before))
    return {arm: HistoryStatistics.of_table(table, cap, before_cap) for arm, table in arms.items()}


def _table(rows: list[tuple[tuple[int, int], int]]) -> dict[tuple[int, int], int]:
    table: dict[tuple[int, int], int] = {}
    for key, count in rows:
        table[key] = table.get(key, 0) + count
    return table
