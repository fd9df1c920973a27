"""What the same people would say of two rankings: the stars they give, and whether their question was resolved."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Doubles
from foundation.statistics import bootstrap_interval
from simulator.collection import JudgedCollection
from simulator.driver import Driver
from simulator.traffic import Traffic
from simulator.users import Population
from simulator.visit_events import Habits, Reader

_CONCURRENCY = 3

Said = tuple[tuple[float, ...], tuple[float, ...]]
"""What one visit brought, by ranking: the one before, the one after."""


@dataclass(frozen=True, slots=True)
class SaidVisit:
    """One visit under two rankings, with the same chances.

    Attributes:
        stars: Every rating, by ranking.
        verdicts: Whether the question was resolved, by ranking; empty where nobody said.
    """

    person: int
    stars: Said
    verdicts: Said


@dataclass(frozen=True, slots=True)
class ComparedMean:
    """The mean of what people said under both rankings, and the interval of the difference; as in `SaidVisit`."""

    before: float
    after: float
    low: float
    high: float


def visit_both(
    collection: JudgedCollection,
    traffic: Traffic,
    people: Population,
    habits: Habits,
    rankings: tuple[Driver, Driver],
    visits: int,
) -> list[SaidVisit]:
    """Let people look at both rankings without a trace, and return what they say."""

    def visit(number: int) -> SaidVisit:
        made = traffic.visit(number)
        reader = Reader(people.person(made.person), habits, collection.max_grade)
        judged, text = collection.judgments[made.query_id], collection.queries[made.query_id]
        stars, verdicts = [], []
        for ranking in rankings:
            shown = [str(hit["id"]) for hit in ranking.look(text)]
            grades = [judged.get(name, 0) for name in shown]
            said = reader.events(made, "", shown, grades, traffic.chance(number))
            stars.append(tuple(float(one["value"]) for one in said if one["type"] == "rating"))
            ended = [one["type"] for one in said if one["type"] in {"resolved", "unresolved"}]
            verdicts.append(tuple(float(one == "resolved") for one in ended))
        return SaidVisit(made.person, (stars[0], stars[1]), (verdicts[0], verdicts[1]))

    with ThreadPoolExecutor(_CONCURRENCY, thread_name_prefix="said") as pool:
        return list(pool.map(visit, range(visits)))


def compare_means(
    people: Sequence[int], before: Sequence[Sequence[float]], after: Sequence[Sequence[float]], seed: int
) -> ComparedMean | None:
    """Return both means over everything that was said, and an interval of 95% for their difference.

    People are resampled. None where nothing was said of one of them.

    Args:
        people: Who said it, by visit.
    """
    means, shares = [], []
    for said in (before, after):
        sums, counts = (np.array([float(count(one)) for one in said]) for count in (sum, len))
        if not counts.sum():
            return None
        mean = float(sums.sum() / counts.sum())
        means.append(mean)
        shares.append(_influence(sums, counts, mean))
    difference = shares[1] - shares[0]
    low, high = bootstrap_interval(difference, confidence=0.95, seed=seed, clusters=np.asarray(people, np.int64))
    return ComparedMean(means[0], means[1], low, high)


def _influence(sums: Doubles, counts: Doubles, mean: float) -> Doubles:
    """Return what each visit adds to a ratio of sums; the mean of it is the ratio."""
    influence: Doubles = mean + (sums - mean * counts) / counts.mean()
    return influence
