"""Whether users ask what the version was judged by (pure)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from collector.api import AskedSearch
from foundation.arrays import Doubles, Flags, Ints
from retrainer.diagnosis.evidence import AskedQueries, VersionEvidence
from retrainer.diagnosis.finding import MATERIAL_LOSS, BoundedValue, CauseFinding, find, lack
from retrainer.diagnosis.intervals import MIN_CLUSTERS, Interval, number_clusters, student

_GROUPS = 20
_SHUFFLES = 40
_SEED = 20
_NEW = np.linspace(0, 1, 41)


def examine(seen: VersionEvidence) -> CauseFinding:
    """Return the share of live searches that the searches behind the judged clicks do not stand for."""
    if seen.asked is None or min(_count_users(seen.asked.judged), _count_users(seen.asked.live)) < MIN_CLUSTERS:
        return lack(
            "drift",
            "too few searches of the weeks that judged the version, or of its experiment, are kept.",
            "Diagnose before old searches are removed, or let the experiment run on.",
        )
    share = measure_drift(seen.asked)
    return find(
        "drift",
        "share of live searches for other queries than those that judged",
        BoundedValue(*share, MATERIAL_LOSS, "above"),
        f"{max(share.value, 0.0):.0%} of the live searches ({len(seen.asked.live):,}) are for other queries than were "
        f"asked in the weeks that judged the version ({len(seen.asked.judged):,} searches), beyond what chance brings.",
        "Train and judge again from what is asked now.",
    )


def measure_drift(asked: AskedQueries) -> Interval:
    """Return the share of live searches that would have to ask something else, for both times to be alike.

    That is the total variation distance of the two distributions over queries. Two samples of one distribution are
    apart by chance too. How far, with any share of one of them new, is told by samples of users drawn from both times;
    the share that explains the distance is what is returned. The interval is that of a jackknife over groups of users.
    """
    searches = [*asked.judged, *asked.live]
    live = np.arange(len(searches)) >= len(asked.judged)
    queries = number_clusters([one.query_key for one in searches])
    users = number_clusters([(one.unit, side) for one, side in zip(searches, live.tolist(), strict=True)])
    expected = _expected_distances(queries, users, len(asked.live))
    groups = np.random.default_rng(_SEED).permutation(users.max() + 1)[users] % _GROUPS
    without = np.array([_distance(queries[groups != one], live[groups != one]) for one in range(_GROUPS)])
    shares = np.array([_explain(distance, expected) for distance in (_distance(queries, live), *without)])
    error = float(np.sqrt((_GROUPS - 1) / _GROUPS * ((shares[1:] - shares[1:].mean()) ** 2).sum()))
    return student(float(shares[0]), error, _GROUPS - 1)


def _explain(distance: float, expected: Doubles) -> float:
    """Return the share that is new where two times are so far apart; below 0 where they are nearer than by chance."""
    if distance < expected[0]:
        return float((distance - expected[0]) / (expected[1] - expected[0]) * _NEW[1])
    return float(np.interp(distance, expected, _NEW))


def _expected_distances(queries: Ints, users: Ints, count: int) -> Doubles:
    """Return how far apart two samples are on average, one of so many searches, with each share of `_NEW` of it new."""
    random, size = np.random.default_rng(_SEED), int(queries.max()) + 1
    total = np.zeros(len(_NEW))
    for _ in range(_SHUFFLES):
        order = np.argsort(random.permutation(users.max() + 1)[users], kind="stable")
        one, other = (_shares(queries[some], size) for some in (order[:count], order[count:]))
        total += [share + np.maximum((1 - share) * one - other, 0.0).sum() for share in _NEW]
    return np.asarray(total / _SHUFFLES, dtype=np.float64)


def _distance(queries: Ints, live: Flags) -> float:
    size = int(queries.max()) + 1
    return float(np.maximum(_shares(queries[live], size) - _shares(queries[~live], size), 0.0).sum())


def _shares(queries: Ints, size: int) -> Doubles:
    return np.bincount(queries, minlength=size) / max(len(queries), 1)


def _count_users(searches: Sequence[AskedSearch]) -> int:
    return len({one.unit for one in searches})
