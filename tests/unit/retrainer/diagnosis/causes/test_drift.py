"""Other queries than those that judged are told from the chance of long tails."""

from __future__ import annotations

import numpy as np
import pytest

from collector.api import AskedSearch
from retrainer.diagnosis.causes.drift import examine, measure_drift
from retrainer.diagnosis.evidence import AskedQueries, VersionEvidence


def searches(count: int, seed: int, new: float = 0.0) -> list[AskedSearch]:
    """Return searches for queries of a long tail, of which a share is asked for the first time."""
    random = np.random.default_rng(seed)
    queries, users = np.minimum(random.zipf(1.3, count), 5000), random.integers(300, size=count)
    fresh = random.random(count) < new
    return [
        AskedSearch(f"user-{user}", f"{'new' if is_new else 'old'} {query}")
        for user, query, is_new in zip(users.tolist(), queries.tolist(), fresh.tolist(), strict=True)
    ]


@pytest.mark.parametrize("new", [0.0, 0.3, 0.6])
def test_the_share_of_new_queries_comes_out(new: float) -> None:
    found = measure_drift(AskedQueries(searches(3000, 1), searches(2000, 2, new)))
    assert found.low <= new <= found.high
    assert found.value == pytest.approx(new, abs=0.03)


@pytest.mark.parametrize("count", [60, 200, 600])
def test_few_searches_are_no_drift(count: int) -> None:
    found = [measure_drift(AskedQueries(searches(3000, seed), searches(count, 100 + seed))) for seed in range(8)]
    assert all(one.low < 0.1 for one in found)


def test_most_being_new_is_named_and_nothing_new_cleared() -> None:
    before = searches(3000, 1)
    assert examine(VersionEvidence(asked=AskedQueries(before, searches(2000, 2, 0.6)))).state == "named"
    assert examine(VersionEvidence(asked=AskedQueries(before, searches(2000, 3)))).state == "cleared"


def test_another_mix_of_the_same_queries_is_drift_too() -> None:
    rare, often = (
        [AskedSearch(f"user-{n % 90}", f"query {n % 10 + 10 * (n % 9 < much)}") for n in range(2000)] for much in (1, 8)
    )
    assert examine(VersionEvidence(asked=AskedQueries(rare, often))).state == "named"


def test_too_few_users_say_nothing() -> None:
    few = [AskedSearch("user", "query")] * 500
    assert examine(VersionEvidence(asked=AskedQueries(searches(500, 1), few))).state == "unknown"
    assert examine(VersionEvidence()).state == "unknown"
