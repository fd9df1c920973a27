"""What is counted in an arm comes back from its JSON as it was."""

from __future__ import annotations

import json
from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from ab_testing.stats.arm import ArmStatistics
from ab_testing.stats.ratio import RatioStatistics

counts = st.integers(0, 1000)
units = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), max_size=5)


@given(units, units, counts, counts, counts, counts)
def test_an_arm_survives_json(
    searched: list[tuple[int, int]], drafted: list[tuple[int, int]], clicks: int, wins: int, losses: int, ties: int
) -> None:
    rates = [RatioStatistics.of([x for x, _ in some], [y for _, y in some]) for some in (searched, drafted)]
    arm = ArmStatistics(rates[0], clicks, rates[1], wins, losses, ties)
    assert ArmStatistics.from_json(json.loads(json.dumps(asdict(arm)))) == arm
    assert arm.searches == sum(y for _, y in searched)
    assert arm.units == len(searched)
