"""Looks at made-up experiments. Usual look: 3,200 of 4,000 planned searches, day 8 of 7 to 14."""

from __future__ import annotations

from typing import Any

from ab_testing.decide.evidence import MetricEvidence, weigh
from ab_testing.decide.look import Look, summarise
from ab_testing.design.plan import ExperimentPlan
from ab_testing.stats.quantile import QuantileStatistics

Tables = dict[str, dict[tuple[int, int], int]]


def plan(**values: Any) -> ExperimentPlan:
    defaults: dict[str, Any] = {"kind": "ab", "planned_searches": 4000, "min_days": 7.0, "max_days": 14.0}
    short = {} if "arms" in values else {"control": "v-1", "treatment": "v-2"}
    return ExperimentPlan(name="test", **short | defaults | values)


def rates(*shares: float, units: tuple[int, ...] = (400, 400, 400), each: int = 4) -> Tables:
    """Units that reach a goal in all of their searches or in none, the noisiest that users can be."""
    names = ("control", "treatment", "third")
    return {
        name: {(each, each): round(count * share), (0, each): count - round(count * share)}
        for name, share, count in zip(names, shares, units, strict=False)
    }


def see(days: float = 8.0, latencies: tuple[float, float] | None = None, **tables: Tables) -> Look:
    caps, ratios = summarise(tables)
    first = next(iter(tables.values()))
    units = {arm: sum(table.values()) for arm, table in first.items()}
    searches = {arm: sum(y * count for (_, y), count in table.items()) for arm, table in first.items()}
    quantiles = {}
    if latencies:
        arms = ("control", "treatment")
        quantiles = {
            "p95_latency": {
                arm: QuantileStatistics(ms, 0.02, 1600, 300) for arm, ms in zip(arms, latencies, strict=True)
            }
        }
    return Look(change=1, days=days, units=units, searches=searches, caps=caps, ratios=ratios, quantiles=quantiles)


def one(look: Look, metric: str = "click_rate", arm: str = "treatment", **values: Any) -> MetricEvidence:
    found = [each for each in weigh(plan(**values), look) if (each.metric, each.treatment) == (metric, arm)]
    assert len(found) == 1
    return found[0]
