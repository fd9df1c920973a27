"""Planted effects: experiments as large as the history says they must be, and how often these find what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from ab_testing.planning.forecast import PlanningRequest, SampleForecast, forecast
from ab_testing.planning.history import baselines_of
from benchmarks.experiments.bars import Bar, at_least, at_most, mean_of, share_of
from benchmarks.experiments.power import is_found
from benchmarks.experiments.simulate import Audience, Stream, draw
from collector.api import Ratio, RecentWindow, UnitCounts, UnitTable, UnitTotals

EFFECTS = 100
QUICK_EFFECTS = 6
RUNS = 200
QUICK_RUNS = 60
LOOKS = 20

MIN_POWER, MAX_POWER = 0.75, 0.9
MIN_SEARCHES, MAX_SEARCHES = 1500, 12_000
_DAYS = 14.0
_SHARES = (0.125, 0.25, 0.5, 1.0)
_METRICS = ("click_rate", "csat", "resolution", "preference")


def sample_sizes(seed: int, quick: bool) -> list[Bar]:
    """Return three bars: the mean power of planned experiments from both sides, and how many keep to the range."""
    effects, runs = (QUICK_EFFECTS, QUICK_RUNS) if quick else (EFFECTS, RUNS)
    powers = [_power(one, child, runs) for one, child in _planted(seed, effects)]
    spread = ", ".join(f"{np.quantile(powers, share):.2f}" for share in (0, 0.1, 0.5, 0.9, 1))
    what = f"power of {effects} experiments planned from 14 days of history for 80%, {runs} runs each, {LOOKS} looks"
    mean, within = mean_of(powers), [_is_within(power, runs) for power in powers]
    return [
        at_least("ab.planned_power", f"mean {what} (quantiles {spread})", mean, bound=MIN_POWER, quick=quick),
        at_most("ab.planned_power_most", f"mean {what}", mean, bound=MAX_POWER, quick=quick),
        at_least(
            "ab.planned_power_within",
            f"share of them with a power of {MIN_POWER:.0%} to {MAX_POWER:.0%}, within two Monte-Carlo errors",
            share_of(within),
            bound=0.9,
            quick=quick,
        ),
    ]


def _is_within(power: float, runs: int) -> bool:
    error = 2 * float(np.sqrt(power * (1 - power) / runs))
    return MIN_POWER - error <= power <= MAX_POWER + error


def _power(audience: Audience, seed: np.random.SeedSequence, runs: int) -> float:
    streams = (draw(np.random.default_rng(child), audience) for child in seed.spawn(runs))
    return float(np.mean([is_found(audience, stream, LOOKS) for stream in streams]))


def _planted(seed: int, effects: int) -> Iterator[tuple[Audience, np.random.SeedSequence]]:
    for number, child in enumerate(np.random.SeedSequence([seed, 4]).spawn(effects)):
        yield _plan(np.random.default_rng(child), _METRICS[number % len(_METRICS)]), child.spawn(1)[0]


def _plan(random: np.random.Generator, metric: str) -> Audience:
    """Return a random audience with an effect, and as many searches as its history says that finding it takes.

    How large the effect is comes from another history than the one that is planned from.
    """
    audience = Audience(
        users=int(random.integers(300, 1500)),
        searches=int(random.integers(3000, 9000)),
        metric=metric,
        rate=float(random.uniform(0.15, 0.6)),
        correlation=float(random.uniform(0.03, 0.15)),
        sigma=float(random.uniform(0.4, 1.2)),
    )
    searches = int(np.exp(random.uniform(np.log(MIN_SEARCHES), np.log(MAX_SEARCHES))))
    effect = _ask(random, audience, PlanningRequest(metrics=(metric,), searches=searches)).effect
    planned = _ask(random, audience, PlanningRequest(metrics=(metric,), effect=effect)).searches
    if planned is None:
        raise AssertionError("an effect that one history can find is found by another of the same audience")
    return replace(audience, searches=planned, effect=_liking(effect) if metric == "csat" else effect)


def _ask(random: np.random.Generator, audience: Audience, request: PlanningRequest) -> SampleForecast:
    [sample] = forecast(request, baselines_of(_windows(audience, draw(random, audience)))).samples
    return sample


def _liking(stars: float) -> float:
    """Return by how much users must like answers more for a rise of the mean stars: by more, for six are not given."""
    edges, spread = np.arange(1.5, 5.0), float(np.hypot(0.6, 0.9))

    def rise(liking: float) -> float:
        return float((ndtr((3.2 + liking - edges) / spread) - ndtr((3.2 - edges) / spread)).sum())

    return float(brentq(lambda liking: rise(liking) - stars, 0.0, 10 * stars))


def _windows(audience: Audience, stream: Stream) -> tuple[RecentWindow, ...]:
    """Return the history as the collector reads it, the last searches last."""
    return tuple(
        RecentWindow(_DAYS * share, len(stream.user) - first, *_totals(audience, stream, first))
        for share in _SHARES
        for first in (round(len(stream.user) * (1 - share)),)
    )


def _totals(audience: Audience, stream: Stream, first: int) -> tuple[StreamTotals, StreamTotals]:
    totals, none = StreamTotals(audience, stream, first), StreamTotals(audience, stream, len(stream.user))
    return totals, totals if audience.metric == "preference" else none


class StreamTotals:
    """What the searches of a stream from one of them on add up to, in the shape of `collector.api.RunTotals`."""

    change = 0

    def __init__(self, audience: Audience, stream: Stream, first: int) -> None:
        self._metric = audience.metric
        self._searches = len(stream.user) - first
        user = stream.user[first:]
        x, y = (np.bincount(user, value[first:], audience.users).astype(np.int64) for value in (stream.x, stream.y))
        self._table = dict(Counter(zip(x[y > 0].tolist(), y[y > 0].tolist(), strict=True)))

    def tabulate(self, ratios: Sequence[Ratio], had_evidence: bool | None = None) -> dict[str, UnitTable]:
        """Return the one metric's table, and empty ones of all others."""
        del had_evidence
        return {one.name: {"everybody": self._table} if one.name == self._metric else {} for one in ratios}

    def per_unit(self, ratio: Ratio) -> Iterator[UnitTotals]:
        """Yield nothing: planning asks for no unit by itself."""
        del ratio
        return iter(())

    def units(self) -> UnitCounts:
        """Return the searches."""
        searches = {"everybody": self._searches} if self._searches else {}
        return UnitCounts({}, 0, searches, {})

    def latencies(self) -> dict[str, dict[int, int]]:
        """Return none."""
        return {}

    def below(self, bounds: Mapping[str, int]) -> UnitTable:
        """Return none."""
        return {arm: {} for arm in bounds}
