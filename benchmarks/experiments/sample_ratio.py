"""How soon a wrong split is caught, and how rarely a right one is refused."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ab_testing.stats import srm
from benchmarks.experiments.bars import Bar, least_bar, share_bar

EVEN = (0.5, 0.5)
RUNS = 2500
QUICK_RUNS = 100
UNITS = 1_000_000
LOOKS = 1000


def sample_ratio(seed: int, quick: bool) -> list[Bar]:
    """Return three bars: two wrong splits caught in time, and false alarms over 1,000 looks."""
    runs, random = (QUICK_RUNS if quick else RUNS), np.random.default_rng(seed)
    alarms = sum(_first_alarm(random, 0.5, UNITS) is not None for _ in range(4 * runs)) / (4 * runs)
    what = f"an even split refused at any of {LOOKS} looks within {UNITS} units"
    return [
        _caught("ab.sample_ratio.51_49", random, runs, 0.51, 100_000),
        _caught("ab.sample_ratio.505_495", random, runs, 0.505, 400_000),
        share_bar("ab.sample_ratio.false_alarms", what, alarms, 4 * runs, 0.005),
    ]


def _caught(name: str, random: np.random.Generator, runs: int, share: float, units: int) -> Bar:
    caught = sum(_first_alarm(random, share, units) is not None for _ in range(runs)) / runs
    error = math.sqrt(max(caught * (1 - caught), 1 / runs) / runs)
    what = f"a split of {share:.1%} caught within {units} units, of {runs} runs"
    return least_bar(name, what, caught, error, 0.95)


def _first_alarm(random: np.random.Generator, share: float, units: int) -> int | None:
    """Return the look at which the split is refused; None when none of the looks does."""
    step = units // LOOKS
    treated = random.binomial(step, share, LOOKS).cumsum()
    total = step * np.arange(1, LOOKS + 1)
    for place in _suspects(treated, total):
        if srm.mismatch((int(total[place] - treated[place]), int(treated[place])), EVEN):
            return int(place)
    return None


def _suspects(treated: NDArray[np.int64], total: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the looks that may be an alarm: the Bayes factor stays below exp(z**2 / 2)."""
    z = np.abs(treated - total / 2) / np.sqrt(total / 4)
    return np.flatnonzero(z * z / 2 > -math.log(srm.ALPHA) - 0.5)
