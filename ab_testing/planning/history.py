"""What the latest searches say of each metric, as far as planning needs it; what they do not say is assumed by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ab_testing.decide.evidence import MIN_UNITS
from ab_testing.decide.look import summarise
from ab_testing.design.metric import Metric
from ab_testing.metrics.choice import PREFERENCE
from ab_testing.metrics.metrics import METRICS
from ab_testing.stats.power import MetricNoise, Window, steady_noise
from ab_testing.stats.quantile import QuantileStatistics, bound
from collector.api import Ratio, RecentWindow, RunTotals

CLICK_RATE = "click_rate"

DECIDED_CLICKS = 0.5
"""Share of the interleaved searches with a click that prefer a side, where no list was interleaved yet."""

WEIGHT_SPREAD = 1.3
"""Mean square of the weights of interleaved searches over the square of their mean, where none was yet."""

CLUSTERING = 1.5
"""By how much the searches of one user raise the noise of a share, where nothing was measured."""


@dataclass(frozen=True, slots=True)
class AssumedBaseline:
    """What is known of the traffic by other means, for a collection without a history."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    searches_a_day: float = field(metadata={"description": "Searches a day of people that name their unit; above 0."})
    values: dict[str, float] = field(
        default_factory=dict,
        metadata={"description": "Present values of metrics that are shares, by name, such as click_rate."},
    )


@dataclass(frozen=True, slots=True)
class Baseline:
    """How a metric stands now, and how noisy it is.

    Attributes:
        value: None for a preference, which has none without two rankings.
    """

    value: float | None
    noise: MetricNoise


@dataclass(frozen=True, slots=True)
class TrafficHistory:
    """What the latest searches of people say."""

    days: float = field(default=0.0, metadata={"description": "How far back the searches go that were read."})
    searches: int = field(default=0, metadata={"description": "Searches of people that name their unit."})
    searches_a_day: float = field(default=0.0, metadata={"description": "The same for each day."})
    interleaved: int = field(default=0, metadata={"description": "Those of them with an interleaved list."})
    lists_differ: float | None = field(
        default=None, metadata={"description": "Share of the interleaved lists that offered a choice; null without."}
    )
    preference_rate: float | None = field(
        default=None,
        metadata={"description": "Share of the interleaved lists whose clicks preferred a side; null without."},
    )


@dataclass(frozen=True, slots=True)
class Baselines:
    """Every metric that can be planned for.

    Attributes:
        metrics: Of the metrics that were measured or assumed, by name.
        assumptions: What was not measured and is assumed instead, in sentences.
        known: All metrics that may be planned for, by name.
    """

    history: TrafficHistory
    metrics: Mapping[str, Baseline]
    assumptions: tuple[str, ...] = ()
    known: Mapping[str, Metric] = field(default_factory=lambda: METRICS)


def baselines_of(windows: Sequence[RecentWindow], known: Mapping[str, Metric] = METRICS) -> Baselines:
    """Return what the latest searches say.

    Args:
        known: The metrics that a plan of the collection may name, by name.
        windows: As `collector.api.read_recent` returns them; none where nobody searched.
    """
    if not windows or not windows[-1].searches:
        return Baselines(TrafficHistory(), {}, known=known)
    history = _history(windows[-1])
    metrics = {name: found for name, metric in known.items() if (found := _measured(metric, windows)) is not None}
    assumptions: list[str] = []
    if PREFERENCE not in metrics and CLICK_RATE in metrics:
        click_rate = metrics[CLICK_RATE].value or 0.0
        metrics[PREFERENCE] = _assumed_preference(click_rate, history.searches_a_day)
        assumptions.append(_tell_assumed(click_rate))
    if history.days < 7:
        assumptions.append(f"all weeks are like the {history.days:.1f} days that were read")
    return Baselines(history, metrics, tuple(assumptions), known)


def assume(given: AssumedBaseline) -> Baselines:
    """Return what follows from figures that a person gave: metrics that are shares of searches, and the preference."""
    per_search = (("searches", 1),)
    metrics = {
        name: Baseline(value, steady_noise(CLUSTERING * value * (1 - value), given.searches_a_day))
        for name, value in given.values.items()
        if name in METRICS and METRICS[name].denominator == per_search and METRICS[name].scale == 1
    }
    assumptions = [f"the searches of one user raise the noise by {CLUSTERING - 1:.0%}"]
    if (click_rate := given.values.get(CLICK_RATE)) is not None:
        metrics[PREFERENCE] = _assumed_preference(click_rate, given.searches_a_day)
        assumptions.append(_tell_assumed(click_rate))
    return Baselines(TrafficHistory(searches_a_day=given.searches_a_day), metrics, tuple(assumptions))


def _history(last: RecentWindow) -> TrafficHistory:
    interleaved = sum(last.interleaved.units().searches.values())
    signals = {"offered": ("wins", "losses", "ties"), "decided": ("wins", "losses")}
    sums = {
        name: _sum(last.interleaved, Ratio(name, tuple((one, 1) for one in parts), (("searches", 1),)))
        for name, parts in signals.items()
    }
    return TrafficHistory(
        days=last.days,
        searches=last.searches,
        searches_a_day=last.searches / last.days,
        interleaved=interleaved,
        lists_differ=sums["offered"] / interleaved if interleaved else None,
        preference_rate=sums["decided"] / interleaved if interleaved else None,
    )


def _sum(totals: RunTotals, ratio: Ratio) -> int:
    arms = totals.tabulate([ratio])[ratio.name]
    return sum(x * units for table in arms.values() for (x, _), units in table.items())


def _measured(metric: Metric, windows: Sequence[RecentWindow]) -> Baseline | None:
    """Return how a metric stands, None where too few units were measured."""
    found = [(window, seen) for window in windows if (seen := _see(metric, window)) is not None]
    if not found or found[-1][0] is not windows[-1]:
        return None
    return Baseline(found[-1][1][0], MetricNoise(tuple(seen for _, (_, seen) in found)))


def _see(metric: Metric, window: RecentWindow) -> tuple[float | None, Window] | None:
    if metric.name == PREFERENCE:
        drafted = sum(window.interleaved.units().searches.values())
        return _see_ratio(metric, window.interleaved, window, drafted, valued=False)
    if metric.quantile is not None:
        return _see_quantile(metric.quantile, window)
    return _see_ratio(metric, window.totals, window, window.searches)


def _see_ratio(
    metric: Metric, totals: RunTotals, window: RecentWindow, counted: int, *, valued: bool = True
) -> tuple[float | None, Window] | None:
    ratio = Ratio(metric.name, metric.numerator, metric.denominator)
    _, sums = summarise(totals.tabulate([ratio]), {metric.name: metric})
    found = next(iter(sums.get(metric.name, {}).values()), None)
    if found is None or found.effective_units < MIN_UNITS:
        return None
    estimate = found.estimate()
    if not estimate.standard_error:
        return None
    crowding = counted / found.effective_units
    seen = Window(window.days, window.searches, estimate.standard_error**2 * counted, window.searches / crowding)
    return (estimate.value if valued else None), seen


def _see_quantile(share: float, window: RecentWindow) -> tuple[float | None, Window] | None:
    found = next(iter(_quantiles(window.totals, share)), None)
    if found is None or not found.standard_error:
        return None
    noise = found.standard_error**2 * window.searches
    return found.value, Window(window.days, window.searches, noise, found.degrees + 1)


def _quantiles(totals: RunTotals, share: float) -> Iterator[QuantileStatistics]:
    """Yield the quantile of each arm."""
    buckets = totals.latencies()
    below = totals.below({arm: bound(counted, share) for arm, counted in buckets.items()})
    for arm, table in below.items():
        if (made := QuantileStatistics.of_buckets(buckets[arm], table, share)) is not None:
            yield made


def _assumed_preference(click_rate: float, searches_a_day: float) -> Baseline:
    return Baseline(None, steady_noise(max(DECIDED_CLICKS * click_rate * WEIGHT_SPREAD, 1e-3), searches_a_day))


def _tell_assumed(click_rate: float) -> str:
    return (
        f"no list was interleaved lately: half of the searches with a click, {DECIDED_CLICKS * click_rate:.0%} of all, "
        "are taken to prefer a side"
    )
