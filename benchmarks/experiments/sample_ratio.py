"""How soon a wrong split is caught, and how rarely a right one is refused."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ab_testing.stats import srm
from benchmarks.experiments.bars import Bar, at_least, at_most, share_of

EVEN = (0.5, 0.5)
RUNS = 2500
QUICK_RUNS = 100
UNITS = 1_000_000
LOOKS = 1000


def sample_ratio(seed: int, quick: bool) -> list[Bar]:
    """Return three bars: two wrong splits caught in time, and false alarms over 1,000 looks."""
    runs, random = (QUICK_RUNS if quick else RUNS), np.random.default_rng(seed)
    even = share_of([_alarms(random, 0.5, UNITS) for _ in range(4 * runs)])
    what = f"an even split refused at any of {LOOKS} looks within {UNITS} units, {4 * runs} runs"
    bars = [at_most("ab.sample_ratio.false_alarms", what, even, bound=0.005, quick=quick)]
    for name, share, units in (("51_49", 0.51, 100_000), ("505_495", 0.505, 400_000)):
        caught = share_of([_alarms(random, share, units) for _ in range(runs)])
        what = f"a split of {share:.1%} caught within {units} units, {runs} runs"
        bars.append(at_least(f"ab.sample_ratio.{name}", what, caught, bound=0.95, quick=quick))
    return bars


def _alarms(random: np.random.Generator, share: float, units: int) -> bool:
    """Return whether the split is refused at any look."""
    step = units // LOOKS
    treated = random.binomial(step, share, LOOKS).cumsum()
    total = step * np.arange(1, LOOKS + 1)
    suspects = [(int(total[place] - treated[place]), int(treated[place])) for place in _suspects(treated, total)]
    return any(srm.mismatch(counts, EVEN) for counts in suspects)


def _suspects(treated: NDArray[np.int64], total: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the looks that may be an alarm: the Bayes factor stays below exp(z**2 / 2)."""
    z = np.abs(treated - total / 2) / np.sqrt(total / 4)
    return np.flatnonzero(z * z / 2 > -math.log(srm.ALPHA) - 0.5)
