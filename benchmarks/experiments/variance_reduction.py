"""What CUPED gains where units have history, and that it costs nothing where they have none."""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ab_testing.decide.look import summarise_histories
from ab_testing.stats.cuped import adjust
from benchmarks.experiments.bars import Bar, most_bar

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
    full, half, none = (_effects(random, runs, known) for known in (1.0, 0.5, 0.0))
    all_known, half_known, nobody = (_variance(one) for one in (full, half, none))
    about = f"variance of the effect relative to raw, correlation {CORRELATION}, {runs} runs"
    return [
        most_bar("ab.cuped.variance", f"{about}, all units have history", *all_known, 0.55),
        _bias("ab.cuped.bias", "all units have history", full),
        most_bar("ab.cuped.half_variance", f"{about}, half of the units have history", *half_known, 0.85),
        _bias("ab.cuped.half_bias", "half of the units have history", half),
        most_bar("ab.cuped.no_history", f"{about}, no unit has history", *nobody, 1.0),
    ]


def _variance(effects: list[Effects]) -> tuple[float, float]:
    """Return the variance of the freed effects relative to the raw ones', and the error of that."""
    raw, freed = np.array([one.raw for one in effects]), np.array([one.freed for one in effects])
    ratio = float(freed.var() / raw.var())
    correlation = float(np.corrcoef(raw, freed)[0, 1])
    return ratio, ratio * 2 * math.sqrt(max(1 - correlation**2, 0.0) / len(effects))


def _bias(name: str, which: str, effects: list[Effects]) -> Bar:
    freed = np.array([one.freed for one in effects])
    error = float(freed.std() / math.sqrt(len(freed)))
    what = f"distance of the mean freed effect from the planted {EFFECT}, in Monte-Carlo errors; {which}"
    return most_bar(name, what, abs(float(freed.mean()) - EFFECT) / error, 1.0, 3.0)


def _effects(random: np.random.Generator, runs: int, known: float) -> list[Effects]:
    return [_effect(random, known) for _ in range(runs)]


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
