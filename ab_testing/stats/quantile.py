"""A quantile of what many searches of few users took, such as the 95th percentile of latency.

Latencies are counted in buckets two percent wide. The quantile is interpolated inside its bucket, on the logarithmic
scale. Its standard error comes from order statistics (Woodruff 1952) and grows by the design effect, because the
searches of one user resemble each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ab_testing.stats.ratio import Estimate, RatioStatistics, difference

BUCKET_WIDTH = math.log(1.02)
"""Width of a bucket on the natural logarithmic scale."""

MIN_SEARCHES = 200
"""Searches that a quantile needs in each arm: with fewer, the order statistics around it are too few."""

_Z = 1.96


@dataclass(frozen=True, slots=True)
class QuantileStatistics:
    """A quantile of positive values, clustered by unit.

    Attributes:
        value: The quantile, in the unit of the values.
        standard_error: Of its natural logarithm.
        n: Values counted.
        degrees: Degrees of freedom behind the standard error.
    """

    value: float
    standard_error: float
    n: int
    degrees: float = math.inf

    @property
    def logarithm(self) -> Estimate:
        """The natural logarithm of the quantile."""
        return Estimate(math.log(self.value), self.standard_error, self.degrees)

    @classmethod
    def of_buckets(
        cls, buckets: Mapping[int, int], below: Mapping[tuple[int, int], int], share: float = 0.95
    ) -> QuantileStatistics | None:
        """Return the quantile and its clustered error; None with fewer than `MIN_SEARCHES` values or two units.

        Args:
            buckets: Values in each bucket b, from 1.02**b to 1.02**(b + 1).
            below: (values in buckets below `bound(buckets, share)`, values) -> number of units.
            share: Share of the values below the quantile.
        """
        total = sum(buckets.values())
        users = RatioStatistics.of_table(below)
        if total < MIN_SEARCHES or users.n < 2:
            return None
        spread = _Z * math.sqrt(share * (1 - share) / total)
        low, high = (_position(buckets, max(0.0, min(1.0, share + sign * spread))) for sign in (-1, 1))
        error = (high - low) * BUCKET_WIDTH / (2 * _Z) * math.sqrt(_design_effect(users))
        value = math.exp(_position(buckets, share) * BUCKET_WIDTH)
        return cls(value, error, total, max(users.effective_units - 1, 1.0))


def bound(buckets: Mapping[int, int], share: float = 0.95) -> int:
    """Return the edge between buckets that is nearest to the quantile; 0 without values."""
    return round(_position(buckets, share)) if buckets else 0


def log_ratio(control: QuantileStatistics, treatment: QuantileStatistics) -> Estimate:
    """Return ln(treatment / control)."""
    return difference(control.logarithm, treatment.logarithm)


def _position(buckets: Mapping[int, int], share: float) -> float:
    """Return the bucket below which `share` of the values lie, with the part of it that is passed."""
    wanted, seen = share * sum(buckets.values()), 0
    for bucket, count in sorted(buckets.items()):
        if count and seen + count >= wanted:
            return bucket + (wanted - seen) / count
        seen += count
    return max(buckets) + 1.0


def _design_effect(users: RatioStatistics) -> float:
    """Return by how much clustering raises the variance of a share of values.

    Where all values lie on one side, nothing tells; then the values of a user are taken to be all alike.
    """
    share = users.sum_x / users.sum_y
    independent = share * (1 - share) / users.sum_y
    if independent <= 0:
        return users.sum_yy / users.sum_y
    return users.estimate().standard_error ** 2 / independent
