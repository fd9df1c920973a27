"""Simulated experiments: audiences, their searches, and what the looks at them see.

Sums of all looks of an experiment are computed at once. What they say is then asked of the code that judges live
experiments, at the looks that matter.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr

from ab_testing.decide.evidence import MIN_UNITS
from ab_testing.decide.look import Look, summarise
from ab_testing.design.plan import CONTROL, INTERLEAVED, ExperimentPlan
from ab_testing.stats.caps import CAP_QUANTILE, MAX_SHARE

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]

PLANNED_DAYS = 7.0
TREATMENT = "treatment"
_WEIGHT = 2520


@dataclass(frozen=True, slots=True)
class Audience:
    """Users, what they do, and for how long.

    Attributes:
        searches: Planned searches of the experiment.
        metric: click_rate, csat, resolution or preference.
        rate: Mean share of searches with a click, or of verdicts that say resolved.
        correlation: Correlation between the searches of one user.
        sigma: Spread of the users' activity, on the natural logarithmic scale.
        burst: Mean number of searches in a row by one user, in the same mood.
        effect: What the treatment adds to the mean of every user, in the metric's own unit.
        treated: Share of the users who see the treatment.
    """

    users: int = 400
    searches: int = 3000
    metric: str = "click_rate"
    rate: float = 0.3
    correlation: float = 0.15
    sigma: float = 0.7
    burst: float = 1.0
    effect: float = 0.0
    treated: float = 0.5

    @property
    def plan(self) -> ExperimentPlan:
        """The plan of an experiment with this audience."""
        return ExperimentPlan(
            "simulated",
            "interleaving" if self.metric == "preference" else "ab",
            "a",
            "b",
            planned_searches=self.searches,
            min_days=0.0,
            max_days=2 * PLANNED_DAYS,
            success=(self.metric,),
        )


@dataclass(frozen=True, slots=True)
class Stream:
    """The searches of one experiment in order of time.

    Attributes:
        treated: Which users see the treatment, shape (users,).
        user: The user of each search.
        x: What each search adds to the numerator of the metric.
        y: What it adds to the denominator.
    """

    treated: NDArray[np.bool_]
    user: Whole
    x: Whole
    y: Whole


@dataclass(frozen=True, slots=True)
class Trajectories:
    """The effect at each look of one experiment; not a number where nothing can be said yet.

    Attributes:
        searches: Searches by each look.
        z: Effect in standard errors.
        normal: The normal value that is as rare as z by Student's t.
        degrees: Degrees of freedom.
    """

    searches: Whole
    effect: Numbers
    z: Numbers
    normal: Numbers
    degrees: Numbers

    @property
    def mirrored(self) -> Trajectories:
        """The same looks with the arms exchanged."""
        return replace(self, effect=-self.effect, z=-self.z, normal=-self.normal)


def draw(random: np.random.Generator, audience: Audience) -> Stream:
    """Return the searches of one experiment."""
    treated = random.random(audience.users) < audience.treated
    user, mood = _visits(random, audience)
    lifted = (audience.effect * treated[user]).astype(np.float64)
    x, y = _ACTS[audience.metric](random, audience, user, mood, lifted)
    return Stream(treated, user, x, y)


def mirror(audience: Audience, stream: Stream) -> Stream:
    """Return the same searches with the arms exchanged: as likely, where there is no difference."""
    if audience.metric == "preference":
        return replace(stream, x=-stream.x)
    return replace(stream, treated=~stream.treated)


def trace(audience: Audience, stream: Stream, looks: int) -> Trajectories:
    """Return the effect at so many looks, evenly spread over the searches; the last is the planned end."""
    ends = np.linspace(0, audience.searches, looks + 1).astype(np.int64)[1:]
    cell = np.searchsorted(ends, np.arange(audience.searches), side="right") * audience.users + stream.user
    x, y = (_running(cell, value, looks, audience.users) for value in (stream.x, stream.y))
    weight = np.minimum(1.0, _caps(y)[:, None] / np.maximum(y, 1))
    x, y = x * weight, y * weight
    with np.errstate(divide="ignore", invalid="ignore"):
        if audience.metric == "preference":
            effect, variance, degrees = _ratio(x, y)
        else:
            control, treatment = (_ratio(x[:, side], y[:, side]) for side in (~stream.treated, stream.treated))
            effect, variance = treatment[0] - control[0], treatment[1] + control[1]
            degrees = variance**2 / (treatment[1] ** 2 / treatment[2] + control[1] ** 2 / control[2])
        z = effect / np.sqrt(variance)
    normal = np.sign(z) * -ndtri(stdtr(degrees, -np.abs(z)))
    return Trajectories(ends, effect, z, normal.astype(np.float64), degrees.astype(np.float64))


def look_at(audience: Audience, stream: Stream, searches: int) -> Look:
    """Return what the product sees after so many searches."""
    user, first = stream.user[:searches], np.arange(audience.users)
    x, y, seen = (
        np.bincount(user, value[:searches], len(first)).astype(np.int64)
        for value in (stream.x, stream.y, np.ones(len(stream.user)))
    )
    arms = {INTERLEAVED: first >= 0} if audience.metric == "preference" else _sides(stream.treated)
    tables = {
        arm: dict(Counter(zip(x[side & (y > 0)].tolist(), y[side & (y > 0)].tolist(), strict=True)))
        for arm, side in arms.items()
    }
    caps, ratios = summarise({audience.metric: tables})
    return Look(
        change=searches,
        days=PLANNED_DAYS * searches / audience.searches,
        units={arm: int((side & (seen > 0)).sum()) for arm, side in arms.items()},
        searches={arm: int(seen[side].sum()) for arm, side in arms.items()},
        caps=caps,
        ratios=ratios,
    )


def with_effect(audience: Audience, seed: int, power: float = 2.8016) -> Audience:
    """Return the audience with an effect whose mean z at the planned end is `power`: 2.8016 is 80% by a fixed test."""
    random = np.random.default_rng(seed)
    noise = np.mean([abs(one.effect[0] / one.z[0]) for one in _ends(random, audience)])
    rough = replace(audience, effect=power * float(noise))
    reached = float(np.mean([one.z[0] for one in _ends(random, rough)]))
    return replace(audience, effect=rough.effect * power / reached)


def _ends(random: np.random.Generator, audience: Audience) -> list[Trajectories]:
    return [trace(audience, draw(random, audience), 1) for _ in range(150)]


def _sides(treated: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    return {CONTROL: ~treated, TREATMENT: treated}


def _visits(random: np.random.Generator, audience: Audience) -> tuple[Whole, Numbers]:
    """Return the user of each search, and a mood that the searches of a burst share."""
    activity = random.lognormal(0.0, audience.sigma, audience.users)
    bursts = random.choice(audience.users, audience.searches, p=activity / activity.sum())
    if audience.burst <= 1:
        return bursts, np.zeros(audience.searches)
    lengths = random.geometric(1 / audience.burst, audience.searches)
    moods = random.normal(0.0, 1.0, audience.searches)
    return np.repeat(bursts, lengths)[: audience.searches], np.repeat(moods, lengths)[: audience.searches]


def _tastes(random: np.random.Generator, audience: Audience) -> Numbers:
    concentration = 1 / audience.correlation - 1
    return random.beta(audience.rate * concentration, (1 - audience.rate) * concentration, audience.users)


def _click(
    random: np.random.Generator, audience: Audience, user: Whole, mood: Numbers, lifted: Numbers
) -> tuple[Whole, Whole]:
    rate = _tastes(random, audience)[user] * np.where(mood > 0, 1.5, np.where(mood < 0, 0.5, 1.0)) + lifted
    return (random.random(len(user)) < rate).astype(np.int64), np.ones(len(user), dtype=np.int64)


def _rate(
    random: np.random.Generator, audience: Audience, user: Whole, mood: Numbers, lifted: Numbers
) -> tuple[Whole, Whole]:
    """Three of ten searches are rated, more often by some users; stars depend on the user."""
    answers = random.random(len(user)) < random.beta(1.5, 3.5, audience.users)[user]
    liking = random.normal(0.0, 0.6, audience.users)[user] + mood / 2
    stars = np.clip(np.floor(3.2 + lifted + liking + random.normal(0.0, 0.9, len(user)) + 0.5), 1, 5)
    return np.where(answers, stars, 0).astype(np.int64), answers.astype(np.int64)


def _resolve(
    random: np.random.Generator, audience: Audience, user: Whole, mood: Numbers, lifted: Numbers
) -> tuple[Whole, Whole]:
    """Four of ten searches end with a verdict."""
    told = random.random(len(user)) < 0.4
    resolved, _ = _click(random, audience, user, mood, lifted)
    return resolved * told, told.astype(np.int64)


def _prefer(
    random: np.random.Generator, audience: Audience, user: Whole, mood: Numbers, _: Numbers
) -> tuple[Whole, Whole]:
    """Half of the drafted lists are ties; each user leans to one side, and nobody on average."""
    weight = _WEIGHT // np.minimum(random.geometric(0.4, len(user)), 10)
    leaning = random.normal(0.0, 0.25, audience.users)[user] + mood / 5
    side = np.where(random.random(len(user)) < 0.5 + leaning / 2 + audience.effect, 1, -1)
    return np.where(random.random(len(user)) < 0.5, side * weight, 0), weight


_ACTS = {"click_rate": _click, "csat": _rate, "resolution": _resolve, "preference": _prefer}


def _running(cell: Whole, value: Whole, looks: int, users: int) -> Numbers:
    """Return the sum of each user by each look, shape (looks, users)."""
    return np.bincount(cell, value, looks * users).reshape(looks, users).cumsum(axis=0)


def _caps(y: Numbers) -> Numbers:
    """Return the pooled cap of each look, as `denominator_cap` finds it; 0 where nothing was measured."""
    ordered = np.sort(y.astype(np.int32), axis=1)[:, ::-1]
    present = (ordered > 0).sum(axis=1)
    rank = np.maximum(np.ceil(CAP_QUANTILE * present).astype(np.int64), 1)
    rows = np.arange(len(y))
    quantile = ordered[rows, np.maximum(present - rank, 0)]
    needed = np.arange(round(1 / MAX_SHARE), 0, -1)
    top = ordered[:, : len(needed)].astype(np.float64)
    needed = needed[: top.shape[1]]
    below = y.sum(axis=1)[:, None] - np.cumsum(top, axis=1) + top
    limit = below // needed
    fits = (limit >= top) & (top > 0)
    place = fits.argmax(axis=1)
    balanced = np.where(fits.any(axis=1), limit[rows, place], np.where(present > top.shape[1], top[:, -1], 0))
    balanced = np.minimum(balanced, top[rows, np.maximum(place - 1, 0)])
    return np.where(present > 0, np.maximum(1, np.minimum(balanced, quantile)), 0)


def _ratio(x: Numbers, y: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return the ratio, its variance and its degrees of freedom, by look; not a number with too few units."""
    n, sum_x, sum_y = (y > 0).sum(axis=1), x.sum(axis=1), y.sum(axis=1)
    ratio = sum_x / sum_y
    squares = ((x - ratio[:, None] * y) ** 2).sum(axis=1)
    effective = sum_y**2 / (y * y).sum(axis=1)
    ratio = np.where(effective >= MIN_UNITS, ratio, np.nan)
    return ratio, squares * n / (n - 1) / sum_y**2, np.maximum(effective - 1, 1.0)
