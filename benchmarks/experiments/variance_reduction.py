"""What CUPED gains where units have history, and that it costs nothing where they have none."""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ab_testing.decide.look import summarise_histories
from ab_testing.stats.cuped import adjust
from benchmarks.experiments.bars import Bar, Figure, at_most, mean_of

RUNS = 2000
QUICK_RUNS = 150
UNITS = 800
SEARCHES = 12
EFFECT = 0.02
CORRELATION = 0.7

Units = NDArray[np.int64]


class Effects(NamedTuple):
    """The effect of one experiment, as measured and freed from what history explains."""

    raw: float
    freed: float


def variance_reduction(seed: int, quick: bool) -> list[Bar]:
    """Return bars of the variance that is left, of bias, and of units without history."""
    runs, random = (QUICK_RUNS if quick else RUNS), np.random.default_rng(seed)
    bars = []
    for name, known, bound in (("all", 1.0, 0.55), ("half", 0.5, 0.85), ("none", 0.0, 1.0)):
        effects = [_effect(random, known) for _ in range(runs)]
        about = f"{known:.0%} of the units have history, correlation {CORRELATION}, {runs} runs"
        what = f"variance of the effect relative to raw; {about}"
        bars.append(at_most(f"ab.cuped.variance_{name}_known", what, _variance(effects), bound=bound, quick=quick))
        what = f"distance of the mean effect from the planted {EFFECT}, in Monte-Carlo errors; {about}"
        bars.append(at_most(f"ab.cuped.bias_{name}_known", what, _bias(effects), bound=3.0, quick=quick))
    return bars


def _variance(effects: list[Effects]) -> Figure:
    """Return the variance of the freed effects relative to the raw ones'."""
    raw, freed = np.array([one.raw for one in effects]), np.array([one.freed for one in effects])
    ratio, correlation = float(freed.var() / raw.var()), float(np.corrcoef(raw, freed)[0, 1])
    return Figure(ratio, ratio * 2 * math.sqrt(max(1 - correlation**2, 0.0) / len(effects)))


def _bias(effects: list[Effects]) -> Figure:
    mean = mean_of([one.freed for one in effects])
    return Figure(abs(mean.value - EFFECT) / mean.error, 1.0)


def _effect(random: np.random.Generator, known: float) -> Effects:
    arms = {"control": _units(random, known, 0.0), "treatment": _units(random, known, EFFECT)}
    sums = summarise_histories({name: Counter(map(tuple, rows.tolist())) for name, rows in arms.items()})
    freed = adjust(sums)
    raw = {name: one.ratio.estimate().value for name, one in sums.items()}
    return Effects(raw["treatment"] - raw["control"], freed.arms["treatment"].value - freed.arms["control"].value)


def _units(random: np.random.Generator, known: float, effect: float) -> Units:
    """Rows of clicked searches and searches, in the experiment and before it, with a correlation of `CORRELATION`."""
    spread = CORRELATION / (SEARCHES * (1 - CORRELATION) + CORRELATION)
    concentration = 1 / spread - 1
    taste = random.beta(0.3 * concentration, 0.7 * concentration, UNITS // 2)
    activity = random.lognormal(-0.125, 0.5, UNITS // 2)
    y, w = (1 + random.poisson((SEARCHES - 1) * activity) for _ in range(2))
    w = w * (random.random(UNITS // 2) < known)
    x = random.binomial(y, np.minimum(1.0, taste + effect))
    return np.stack([x, y, random.binomial(w, taste), w], axis=1)
