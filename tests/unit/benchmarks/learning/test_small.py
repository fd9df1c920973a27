from __future__ import annotations

from benchmarks.learning.closed_loop import LoopRow
from benchmarks.learning.small import SmallRow, bars_of


def row(gain: float, harmed: float) -> SmallRow:
    return SmallRow("c", 70, "trust", 30, LoopRow("c, 70", 40, 0.5 + gain, 0.5, 0.5, 0.5, harmed=harmed))


def test_the_mean_does_not_hide_a_training_that_made_things_worse() -> None:
    mean, worst, harmed, most_harmful = bars_of([row(0.05, 0.01), row(-0.02, 0.1)])
    assert (mean.met, worst.met, harmed.met, most_harmful.met) == (True, False, True, False)
    assert worst.value == -0.02
    assert most_harmful.value == 0.1
