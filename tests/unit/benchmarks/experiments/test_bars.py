"""Every bar of the statistics runs quickly, says how sure it is, and holds within its Monte-Carlo error."""

from collections.abc import Callable

import pytest

from benchmarks.experiments.bars import Bar
from benchmarks.experiments.coverage import coverage, standard_errors
from benchmarks.experiments.false_findings import false_findings
from benchmarks.experiments.power import power
from benchmarks.experiments.sample_ratio import sample_ratio
from benchmarks.experiments.variance_reduction import variance_reduction

BENCHES = [coverage, standard_errors, false_findings, power, sample_ratio, variance_reduction]


@pytest.mark.slow
@pytest.mark.parametrize("bench", BENCHES)
def test_each_bar_is_complete(bench: Callable[[int, bool], list[Bar]]) -> None:
    bars = bench(5, True)
    assert len({bar["id"] for bar in bars}) == len(bars)
    for bar in bars:
        assert set(bar) == {"id", "what", "value", "bound", "met"}
        assert bar["id"].startswith("ab.")
        assert "Monte-Carlo error" in bar["what"]
    assert sum(bar["met"] for bar in bars) >= 0.8 * len(bars)
