"""The click curve that swapped documents show, with standard errors, its family chosen by held-out clicks (pure).

Only rows that stood at several ranks are used. Each has a hidden grade of relevance g in [0, 1] and is
clicked at rank k with probability g relevant[k] + (1 - g) other[k]. How likely each grade is depends on
how high the row stood on average: rankers put better documents higher, and without that the curve would
take their merit for the ranks'. Expectation maximisation finds grades and curve together.

What it promises: if clicks come from one of these families with grades that reach 0 and 1, the curve
tends to the true one as swaps and clicks grow. Examination is known up to what a relevant document
loses by trust: theta is relevant[k] / relevant[1]. The standard errors measure the chance of the clicks, not
that the family may be wrong. Counts by document do not show clicks of one list that depend on each other
(cascade); these are read as examination.

`shown` and `clicked` are impressions and clicks by row, a query and document, and rank, of shape (n, ranks).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp, softmax

from collector.click_models.interventions import MIN_CLICKS, Overlap, fit_tilt, measure_overlap, swapped
from foundation.contracts import PRIOR_CURVE, ClickCurve

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FOLDS = 5
_PRIOR_ETA = 0.75
_ETA_PRECISION = 250.0  # as of about 500 clicks between ranks 1 to 10
_STRENGTH = 1000.0  # pseudo-impressions at each rank, of a smooth curve through all ranks
_SMOOTH_STRENGTH = 5.0  # pseudo-clicks at each rank by which k^-eta holds the smooth curve
_STANDINGS = 10  # classes of rows by how high they stood on average, of equal size
_GRADE_STRENGTH = 1.0
_ROUNDS = 80
_CLOSE = 1e-5
_MAX_ROWS = 10_000
_MIN_RATE = 1e-4
_MAX_RATE = 0.999
_MAX_RATE_IN_USE = 0.98
_MIN_RATIO = 1.2


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of click model.

    Attributes:
        grades: How many grades of relevance documents have, from 0 to 1 in equal steps.
        trust: Whether rank also makes other documents likelier to be clicked once examined;
            if not, both curves are one examination curve times a constant.
    """

    name: str
    grades: int
    trust: bool


FAMILIES = (
    Family("position", 2, trust=False),
    Family("trust", 2, trust=True),
    Family("graded position", 5, trust=False),
    Family("graded trust", 5, trust=True),
)
PRIOR = "prior"
"""The name of the curve that nothing was learned for."""


@dataclass(frozen=True, slots=True)
class HarvestedCurve:
    """What the swaps of a record show.

    Attributes:
        curve: The curve of the chosen family, or the prior; at most 0.98, so that no single skip
            is taken for certain.
        theta: Examination by rank relative to rank 1, shape (ranks,).
        errors: Standard errors of `theta`, by leaving out one fold of queries at a time; NaN for the prior.
        family: Name of the chosen family, `PRIOR` when there is too little or the prior predicts better.
        held_out: By family and for the prior, log-likelihood per impression of the clicks of queries
            that the fit has not seen; empty with too little to fit.
        overlap: The swaps that it rests on.
    """

    curve: ClickCurve
    theta: Floats
    errors: Floats
    family: str
    held_out: dict[str, float]
    overlap: Overlap


@dataclass(frozen=True, slots=True)
class _Rows:
    """Swapped documents: impressions and clicks by rank, shape (n, ranks), and how high they stood, (n,)."""

    shown: Floats
    clicked: Floats
    standing: Ints

    def __getitem__(self, chosen: npt.NDArray[np.bool_]) -> _Rows:
        return _Rows(self.shown[chosen], self.clicked[chosen], self.standing[chosen])


@dataclass(frozen=True, slots=True)
class _Fit:
    """A curve and how likely each grade is by standing, shape (standings, grades)."""

    curve: ClickCurve
    mix: Floats


def harvest_interventions(
    shown: Floats, clicked: Floats, folds: Ints, prior: ClickCurve = PRIOR_CURVE
) -> HarvestedCurve:
    """Return the curve that swapped documents show; the prior where they are too few.

    Args:
        folds: The fold of each row's query, from 0 to `FOLDS` - 1, shape (n,).
        prior: The curve believed before any click.
    """
    overlap = measure_overlap(shown, clicked)
    if overlap.clicks.sum() < MIN_CLICKS:
        return _keep_prior(prior, {}, overlap)
    chosen = _most_shown(shown)
    rows, folds = _Rows(shown[chosen], clicked[chosen], _stand(shown[chosen])), folds[chosen]
    start = _start(rows, prior)
    parts = [rows[folds != fold] for fold in range(FOLDS)]
    fits = {family.name: [_maximise(part, family, start) for part in parts] for family in FAMILIES}
    fits[PRIOR] = [_maximise(part, FAMILIES[1], prior, learns=False) for part in parts]
    chances = {name: _predict(found, rows, folds) for name, found in fits.items()}
    held_out = {name: float(chance.sum() / rows.shown.sum()) for name, chance in chances.items()}
    best = _choose(chances)
    if best == PRIOR:
        return _keep_prior(prior, held_out, overlap)
    family = next(one for one in FAMILIES if one.name == best)
    curve = _maximise(rows, family, start).curve
    errors = np.sqrt((FOLDS - 1) * np.var([examination(fit.curve) for fit in fits[best]], axis=0))
    return HarvestedCurve(_soften(curve), examination(curve), errors, best, held_out, overlap)


def assign_folds(count: int, seed: int = 0) -> Ints:
    """Return a fold for each of some queries, equally many of each, shape (count,)."""
    return np.random.default_rng(seed).permutation(np.arange(count) % FOLDS)


def examination(curve: ClickCurve) -> Floats:
    """Return how readily a relevant document is clicked by rank, relative to rank 1."""
    relevant = np.array(curve.relevant)
    result: Floats = relevant / relevant[0]
    return result


def _keep_prior(prior: ClickCurve, held_out: dict[str, float], overlap: Overlap) -> HarvestedCurve:
    return HarvestedCurve(prior, examination(prior), np.full(len(prior.relevant), np.nan), PRIOR, held_out, overlap)


def _most_shown(shown: Floats) -> Ints:
    """Return the swapped rows, of very many those shown most: what is clicked plays no part in it."""
    rows = np.flatnonzero(swapped(shown))
    return np.sort(rows[np.argsort(-shown[rows].sum(axis=1), kind="stable")[:_MAX_ROWS]])


def _stand(shown: Floats) -> Ints:
    """Return the class of each row by how high it stood on average, 0 highest."""
    height = shown @ np.log(np.arange(1, shown.shape[1] + 1)) / shown.sum(axis=1)
    order = np.argsort(np.argsort(height, kind="stable"), kind="stable")
    result: Ints = order * _STANDINGS // len(order)
    return result


def _start(rows: _Rows, prior: ClickCurve) -> ClickCurve:
    """Return the prior bent to the steepness of the clicks, one parameter; ranks of few clicks are held by it."""
    ranks = np.arange(1, rows.shown.shape[1] + 1)
    eta = -fit_tilt(rows.shown, rows.clicked, np.ones(len(ranks)), -_PRIOR_ETA, _ETA_PRECISION).exponent
    bend = ranks ** (_PRIOR_ETA - eta)
    high, low = _clip(np.array(prior.relevant) * bend, np.array(prior.other) * bend)
    return _to_curve(high, low)


def _maximise(rows: _Rows, family: Family, start: ClickCurve, *, learns: bool = True) -> _Fit:
    """Return the likeliest curve and grades; only the grades if the curve does not learn."""
    first_high, first_low = np.array(start.relevant), np.array(start.other)
    high, low = first_high, first_low
    grade = np.linspace(0, 1, family.grades)[:, None]
    mix = np.full((_STANDINGS, family.grades), 1 / family.grades)
    classes = np.eye(_STANDINGS)[:, rows.standing]
    for _ in range(_ROUNDS):
        graded = softmax(_log_joint(rows, grade * high + (1 - grade) * low, mix), axis=1)
        seen, hits = graded.T @ rows.shown, graded.T @ rows.clicked
        mix = classes @ graded + _GRADE_STRENGTH
        mix /= mix.sum(axis=1, keepdims=True)
        if not learns:
            continue
        chance = grade * high + (1 - grade) * low
        relevant_hits = hits * grade * high / chance
        relevant_seen = relevant_hits + (seen - hits) * grade * (1 - high) / (1 - chance)
        of_high = _hold(relevant_hits.sum(axis=0), relevant_seen.sum(axis=0), first_high)
        of_low = _hold((hits - relevant_hits).sum(axis=0), (seen - relevant_seen).sum(axis=0), first_low)
        before = high
        if family.trust:
            high, low = _clip(of_high[0] / of_high[1], of_low[0] / of_low[1])
        else:
            high, low = _one_examination(*of_high, *of_low, high)
        if np.abs(high - before).max() < _CLOSE:
            break
    return _Fit(_to_curve(high, low), mix)


def _hold(hits: Floats, seen: Floats, first: Floats) -> tuple[Floats, Floats]:
    """Return hits and impressions with pseudo-impressions of a smooth curve: single ranks are noisy.

    The smooth curve is a parabola in logarithms of rank and rate, fitted to all ranks by their hits.
    """
    depth = np.log(np.arange(1, len(first) + 1))
    shape = np.stack([np.ones_like(depth), depth, depth**2], axis=1)
    rates = (hits + _SMOOTH_STRENGTH * first) / (seen + _SMOOTH_STRENGTH)
    weight = hits + _SMOOTH_STRENGTH * first
    bend = np.linalg.solve(shape.T @ (weight[:, None] * shape), shape.T @ (weight * np.log(rates)))
    smooth = np.minimum(np.exp(shape @ bend), _MAX_RATE)
    return hits + _STRENGTH * smooth, seen + _STRENGTH


def _one_examination(
    high_hits: Floats, high_seen: Floats, low_hits: Floats, low_seen: Floats, examined: Floats
) -> tuple[Floats, Floats]:
    """Return rates that are one curve times a constant each, by a step of proportional fitting."""
    high, low = high_hits.sum() / (high_seen @ examined), low_hits.sum() / (low_seen @ examined)
    examined = (high_hits + low_hits) / (high * high_seen + low * low_seen)
    return _clip(high * examined, low * examined)


def _clip(high: Floats, low: Floats) -> tuple[Floats, Floats]:
    high = np.clip(high, _MIN_RATE, _MAX_RATE)
    return high, np.clip(np.minimum(low, high / _MIN_RATIO), _MIN_RATE / _MIN_RATIO, _MAX_RATE)


def _log_joint(rows: _Rows, chance: Floats, mix: Floats) -> Floats:
    """Return log P(clicks, grade), shape (n, grades); a row's grades are as likely as its standing says."""
    odds, skips = np.log(chance) - np.log1p(-chance), np.log1p(-chance)
    result: Floats = rows.clicked @ odds.T + rows.shown @ skips.T + np.log(mix)[rows.standing]
    return result


def _predict(fits: list[_Fit], rows: _Rows, folds: Ints) -> Floats:
    """Return the log-likelihood of every row's clicks under the fit without its fold, shape (n,)."""
    chances = np.zeros(len(folds))
    for fold, fit in enumerate(fits):
        high, low = np.array(fit.curve.relevant), np.array(fit.curve.other)
        grade = np.linspace(0, 1, fit.mix.shape[1])[:, None]
        joint = _log_joint(rows[folds == fold], grade * high + (1 - grade) * low, fit.mix)
        chances[folds == fold] = logsumexp(joint, axis=1)
    return chances


def _choose(chances: dict[str, Floats]) -> str:
    """Return the simplest name that no richer one beats by more than a standard error."""
    best = PRIOR
    for family in FAMILIES:
        gain = chances[family.name] - chances[best]
        if gain.sum() > gain.std() * len(gain) ** 0.5:
            best = family.name
    return best


def _to_curve(high: Floats, low: Floats) -> ClickCurve:
    return ClickCurve(tuple(high.tolist()), tuple(low.tolist()))


def _soften(curve: ClickCurve) -> ClickCurve:
    high = np.minimum(curve.relevant, _MAX_RATE_IN_USE)
    low = np.minimum(curve.other, high / _MIN_RATIO)
    return _to_curve(high, low)
