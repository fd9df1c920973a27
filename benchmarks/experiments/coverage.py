"""How often intervals hold the truth, and whether standard errors are those of a bootstrap over users."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ab_testing.decide.evidence import MetricEvidence, weigh
from ab_testing.decide.look import Look
from ab_testing.design.plan import CONTROL, ExperimentPlan
from ab_testing.stats.caps import denominator_cap
from ab_testing.stats.ratio import RatioStatistics
from benchmarks.experiments.bars import Bar, Figure, at_most, mean_of, share_of
from benchmarks.experiments.latency import draw_latencies
from benchmarks.experiments.simulate import PLANNED_DAYS, TREATMENT, Audience, draw, look_at

RUNS = 4000
QUICK_RUNS = 200
TOLERATED_COVERAGE = 0.015
DATASETS = 60
QUICK_DATASETS = 6
DRAWS = 1000
TOLERATED_ERROR = 0.03

SCENARIOS = {
    "ctr": Audience(users=600, searches=6000, sigma=1.0, effect=0.03),
    "csat": Audience(users=600, searches=6000, sigma=1.0, metric="csat"),
    "fcr": Audience(users=600, searches=6000, sigma=1.0, metric="resolution", rate=0.6, effect=0.03),
}


def coverage(seed: int, quick: bool) -> list[Bar]:
    """Return the coverage of the fixed test's 95% interval at the planned end, for rates and for p95 latency."""
    runs = QUICK_RUNS if quick else RUNS
    bars = []
    for name, audience in SCENARIOS.items():
        held = [_holds(_rates(random, audience), audience.effect) for random in _randoms(seed, name, runs)]
        bars.append(_coverage_bar(name, held, quick))
    held = [_holds(_latency(random), 0.0) for random in _randoms(seed, "p95", runs)]
    return [*bars, _coverage_bar("p95_latency", held, quick)]


def standard_errors(seed: int, quick: bool) -> list[Bar]:
    """Return our standard error relative to the user bootstrap's at 300 units, of rates and of p95 latency."""
    datasets = QUICK_DATASETS if quick else DATASETS
    bars = []
    for name, audience in SCENARIOS.items():
        small = replace(audience, users=300, searches=3000, effect=0.0)
        ratios = [_rate_error(random, small) for random in _randoms(seed, name, datasets)]
        bars.append(_error_bar(name, ratios, quick))
    ratios = [_latency_error(random) for random in _randoms(seed, "p95", datasets)]
    return [*bars, _error_bar("p95_latency", ratios, quick)]


def _randoms(seed: int, name: str, runs: int) -> Iterator[np.random.Generator]:
    for child in np.random.SeedSequence([seed, *name.encode()]).spawn(runs):
        yield np.random.default_rng(child)


def _rates(random: np.random.Generator, audience: Audience) -> MetricEvidence:
    plan = replace(audience.plan, test="fixed")
    return weigh(plan, look_at(audience, draw(random, audience), audience.searches))[0]


def _latency(random: np.random.Generator) -> MetricEvidence:
    plan = ExperimentPlan(
        "latency",
        "ab",
        "a",
        "b",
        planned_searches=6000,
        min_days=0.0,
        max_days=PLANNED_DAYS,
        success=("p95_latency",),
        test="fixed",
    )
    arms = {arm: draw_latencies(random, 300, 3000, 1.0) for arm in (CONTROL, TREATMENT)}
    look = Look(
        change=1,
        days=PLANNED_DAYS,
        units={arm: len(one.counts) for arm, one in arms.items()},
        searches={arm: int(one.counts.sum()) for arm, one in arms.items()},
        quantiles={"p95_latency": {arm: one.statistics() for arm, one in arms.items()}},
    )
    return weigh(plan, look)[0]


def _holds(evidence: MetricEvidence, truth: float) -> bool:
    if evidence.low is None or evidence.high is None:
        raise AssertionError("an experiment has an interval at its planned end")
    return evidence.low <= truth <= evidence.high


def _coverage_bar(name: str, held: list[bool], quick: bool) -> Bar:
    share = share_of(held)
    what = (
        f"{name}, skewed users: distance of the coverage {share.value:.4f} of 95% intervals from 0.95, {len(held)} runs"
    )
    distance = Figure(abs(share.value - 0.95), share.error)
    return at_most(f"ab.coverage.{name}", what, distance, bound=TOLERATED_COVERAGE, quick=quick)


def _rate_error(random: np.random.Generator, audience: Audience) -> float:
    """Return the standard error of a rate over all users relative to the bootstrap's, under the same cap."""
    stream = draw(random, audience)
    x, y = (np.bincount(stream.user, value, audience.users).astype(np.int64) for value in (stream.x, stream.y))
    x, y = x[y > 0], y[y > 0]
    table = _count(x, y)
    cap = denominator_cap([table])
    ours = RatioStatistics.of_table(table, cap).estimate().standard_error
    weight = np.minimum(1.0, (cap or 1) / y)
    draws = random.multinomial(len(y), np.full(len(y), 1 / len(y)), DRAWS).astype(np.float64)
    return ours / float(((draws @ (x * weight)) / (draws @ (y * weight))).std())


def _latency_error(random: np.random.Generator) -> float:
    latencies = draw_latencies(random, 300, 3000, 1.0)
    return latencies.statistics().standard_error / float(latencies.resampled(random, DRAWS).std())


def _count(x: NDArray[np.int64], y: NDArray[np.int64]) -> dict[tuple[int, int], int]:
    pairs, units = np.unique(np.stack([x, y]), axis=1, return_counts=True)
    return {(int(one), int(other)): int(count) for (one, other), count in zip(pairs.T, units, strict=True)}


def _error_bar(name: str, ratios: list[float], quick: bool) -> Bar:
    ratio = mean_of(ratios)
    what = f"{name}: distance from 1 of our standard error relative to a bootstrap over 300 users, {ratio.value:.4f}"
    distance = Figure(abs(ratio.value - 1), ratio.error)
    return at_most(f"ab.standard_error.{name}", what, distance, bound=TOLERATED_ERROR, quick=quick)
