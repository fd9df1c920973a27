"""Simulated latencies: users with their own speed, some of whom search far more often than others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ab_testing.stats.quantile import BUCKET_WIDTH, QuantileStatistics, bound

Counts = NDArray[np.int64]

_FIRST = 100
_BUCKETS = 450


@dataclass(frozen=True, slots=True)
class Latencies:
    """Searches of each user in each bucket, shape (users, buckets)."""

    counts: Counts

    def statistics(self) -> QuantileStatistics:
        """Return the 95th percentile as the product computes it."""
        totals = self.counts.sum(axis=0)
        buckets = {_FIRST + int(place): int(totals[place]) for place in np.flatnonzero(totals)}
        below = self.counts[:, : bound(buckets) - _FIRST].sum(axis=1)
        pairs, units = np.unique(np.stack([below, self.counts.sum(axis=1)]), axis=1, return_counts=True)
        table = {(int(x), int(y)): int(count) for (x, y), count in zip(pairs.T, units, strict=True)}
        found = QuantileStatistics.of_buckets(buckets, table)
        if found is None:
            raise AssertionError("the simulated searches suffice for a quantile")
        return found

    def resampled(self, random: np.random.Generator, draws: int) -> NDArray[np.float64]:
        """Return ln of the 95th percentile in so many bootstrap samples of the users."""
        users = len(self.counts)
        weights = random.multinomial(users, np.full(users, 1 / users), draws).astype(np.float64)
        running = (weights @ self.counts.astype(np.float64)).cumsum(axis=1)
        wanted = 0.95 * running[:, -1]
        place = (running >= wanted[:, None]).argmax(axis=1)
        rows = np.arange(draws)
        before = np.where(place > 0, running[rows, place - 1], 0.0)
        part = (wanted - before) / (running[rows, place] - before)
        logarithm: NDArray[np.float64] = (_FIRST + place + part) * BUCKET_WIDTH
        return logarithm


def draw_latencies(random: np.random.Generator, users: int, searches: int, sigma: float) -> Latencies:
    """Return the latencies of one arm."""
    activity = random.lognormal(0.0, sigma, users)
    user = random.choice(users, searches, p=activity / activity.sum())
    logarithm = 4.5 + 0.3 * random.normal(size=users)[user] + 0.5 * random.normal(size=searches)
    bucket = np.clip(np.floor(logarithm / BUCKET_WIDTH).astype(np.int64) - _FIRST, 0, _BUCKETS - 1)
    counts = np.bincount(user * _BUCKETS + bucket, minlength=users * _BUCKETS).reshape(users, _BUCKETS)
    return Latencies(counts[counts.sum(axis=1) > 0])
