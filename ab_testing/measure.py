"""From the collector's totals to a look: the metrics of a plan, counted up to one position of the log."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from ab_testing.decide.look import Look, summarise, summarise_histories
from ab_testing.design.experiment import Experiment
from ab_testing.design.metric import Metric
from ab_testing.design.plan import INTERLEAVED, ExperimentPlan
from ab_testing.metrics.choice import PREFERENCE, known_metrics, metrics_of
from ab_testing.stats.cuped import HistoryStatistics
from ab_testing.stats.quantile import QuantileStatistics, bound
from ab_testing.stats.ratio import RatioStatistics
from collector.api import Ratio, RunTotals, UnitCounts, UnitTable

_Ratios = dict[str, dict[str, RatioStatistics]]
NO_HISTORY: Mapping[str, tuple[int, int]] = {}
_DAY_S = 86400
_WITH_HISTORY = "click_rate"
STRATA = {"with_evidence": True, "without_evidence": False}
"""Searches whose query had live evidence when it was ranked, and the others."""
_COUNTED = ("clicks", "wins", "losses", "ties")
"""Signals that a report shows as they are."""

_PAIRWISE = ("preferred", "offered", "wins", "losses", "ties")
"""Signals that compare one treatment with the control; the second treatment's end in _2."""

_PREFERRED = (PREFERENCE, *_PAIRWISE)


def measure(
    totals: RunTotals,
    experiment: Experiment,
    at: datetime,
    *,
    history: Mapping[str, tuple[int, int]] = NO_HISTORY,
    everything: bool = False,
) -> Look:
    """Return what was counted of an experiment's present run.

    Args:
        history: Searches before the start, and those with a click, by unit; for a plan that uses them.
        at: The moment of the look; days whose window has not closed by then are left out of metrics that have one.
        everything: Whether all metrics that fit the experiment's kind are measured, not only those of its verdict.
    """
    plan = experiment.plan
    known = known_metrics(plan)
    metrics = [known[name] for name in (_all_metrics(plan) if everything else metrics_of(plan))]
    ratios = [_ratio(metric, plan, at) for metric in metrics if metric.quantile is None]
    counts = [Ratio(signal, ((signal, 1),), (("searches", 1),), None) for signal in _COUNTED]
    tables = _tabulate(totals, plan, [*ratios, *counts])
    caps, sums = summarise({ratio.name: tables[ratio.name] for ratio in ratios}, known)
    units = totals.units()
    return Look(
        change=totals.change,
        days=experiment.days(at),
        units=units.units,
        searches=units.searches,
        mixed=units.mixed,
        caps=caps,
        ratios=sums,
        quantiles=dict(_quantiles(totals, metrics)),
        splits=_splits(units),
        histories=_histories(totals, plan, ratios, history),
        counts={signal: _sums(tables[signal]) for signal in _COUNTED},
        strata=_strata(totals, plan, ratios) if everything else {},
    )


def _strata(totals: RunTotals, plan: ExperimentPlan, ratios: Iterable[Ratio]) -> dict[str, _Ratios]:
    """Return the plan's own metrics in searches with and without live evidence; none where evidence is pinned."""
    if plan.evidence != "shared":
        return {}
    known, named = known_metrics(plan), metrics_of(plan)
    wanted = [ratio for ratio in ratios if ratio.name in named]
    tables = {name: _tabulate(totals, plan, wanted, had_evidence=had) for name, had in STRATA.items()}
    return {name: summarise(some, known)[1] for name, some in tables.items()}


def _tabulate(
    totals: RunTotals, plan: ExperimentPlan, ratios: Sequence[Ratio], had_evidence: bool | None = None
) -> dict[str, UnitTable]:
    """Return the units of each arm, by name of the ratio; the preference for each of two treatments by its name."""
    tables = totals.tabulate(ratios, had_evidence)
    if plan.kind == "interleaving" and len(plan.arms) > 2:
        preferred = [ratio for ratio in ratios if ratio.name in _PREFERRED]
        seconds = totals.tabulate([_of_second_treatment(ratio) for ratio in preferred], had_evidence)
        for name, second in seconds.items():
            both = zip(plan.arms[1:], (tables[name], second), strict=True)
            tables[name] = {arm.name: table[INTERLEAVED] for arm, table in both if table}
    return tables


def _of_second_treatment(ratio: Ratio) -> Ratio:
    numerator, denominator = (
        tuple((f"{signal}_2" if signal in _PAIRWISE else signal, factor) for signal, factor in terms)
        for terms in (ratio.numerator, ratio.denominator)
    )
    return ratio._replace(numerator=numerator, denominator=denominator)


def _all_metrics(plan: ExperimentPlan) -> Iterable[str]:
    if plan.kind == "interleaving":
        return (PREFERENCE, "click_rate")
    return (name for name in known_metrics(plan) if name != PREFERENCE)


def _ratio(metric: Metric, plan: ExperimentPlan, at: datetime) -> Ratio:
    return Ratio(metric.name, metric.numerator, metric.denominator, _last_closed_day(metric, plan, at))


def _last_closed_day(metric: Metric, plan: ExperimentPlan, at: datetime) -> int | None:
    """Return the last day whose windows have closed, None where all days count."""
    days = max(plan.window_days, metric.window_days, plan.recontact_days if metric.window == "recontact" else 0)
    return math.floor(at.timestamp() / _DAY_S - days) - 1 if days else None


def _quantiles(totals: RunTotals, metrics: Iterable[Metric]) -> Iterator[tuple[str, dict[str, QuantileStatistics]]]:
    for metric in metrics:
        if metric.quantile is None:
            continue
        share, buckets = metric.quantile, totals.latencies()
        below = totals.below({arm: bound(counted, share) for arm, counted in buckets.items()})
        made = {arm: QuantileStatistics.of_buckets(buckets[arm], below[arm], share) for arm in below}
        yield metric.name, {arm: one for arm, one in made.items() if one is not None}


def _histories(
    totals: RunTotals, plan: ExperimentPlan, ratios: Iterable[Ratio], history: Mapping[str, tuple[int, int]]
) -> dict[str, dict[str, HistoryStatistics]]:
    """Return the click rate beside that of each unit's past; no other metric has a past of its own."""
    found: dict[str, dict[str, HistoryStatistics]] = {}
    for ratio in ratios:
        if plan.cuped and ratio.name == _WITH_HISTORY:
            arms: dict[str, Counter[tuple[int, int, int, int]]] = defaultdict(Counter)
            for one in totals.per_unit(ratio):
                searches, clicked = history.get(one.unit, (0, 0))
                arms[one.arm][one.x, one.y, clicked, searches] += 1
            found[ratio.name] = summarise_histories(arms)
    return found


def _splits(counted: UnitCounts) -> dict[str, dict[str, int]]:
    """Return the units of each arm by surface, and by whether their searches named a user."""
    splits: dict[str, dict[str, int]] = defaultdict(dict)
    for (arm, surface, known), units in counted.segments.items():
        for segment in (f"surface {surface}", "named users" if known else "nameless users"):
            splits[segment][arm] = splits[segment].get(arm, 0) + units
    return dict(splits)


def _sums(arms: dict[str, dict[tuple[int, int], int]]) -> dict[str, int]:
    return {arm: sum(x * units for (x, _), units in table.items()) for arm, table in arms.items()}
