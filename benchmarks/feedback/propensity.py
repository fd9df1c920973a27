"""Whether position and trust bias are recovered from interleaved lists, and whether labels are better for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.feedback.clicklog import (
    DEPTH,
    DOCUMENTS,
    QUERIES,
    ClickLog,
    Searches,
    draw_searches,
    five_grades,
    log_clicks,
    one_in_five,
    published_trust,
    simulated,
)
from benchmarks.harness.report import Bar, Findings, at_least, at_most
from collector.click_models.click_curve import overcorrects
from collector.click_models.intervention_harvesting import HarvestedCurve, assign_folds, harvest_interventions
from collector.click_models.labels import label
from foundation.contracts import PRIOR_CURVE, ClickCurve
from simulator.users import PositionUser, TrustUser

Floats = npt.NDArray[np.float64]

CLICKS = 50_000
SEEDS = 100
QUICK_SEEDS = 4
_GRADED_SEEDS = 10
_RANKS = np.arange(1, len(PRIOR_CURVE.relevant) + 1)
_PRIOR_ETA = 0.75

USERS = (simulated(PositionUser()), simulated(TrustUser()))
"""Users whose examination falls as 1/rank: eta is 1."""


def run(seed: int, *, quick: bool) -> Findings:
    """Return bar "ingest.4": 50,000 clicks each on 100 seeds of two kinds of users; quick: on 4.

    Takes about four minutes on two cores.
    """
    seeds = range(seed, seed + (QUICK_SEEDS if quick else SEEDS))
    trials = [_Trial(one) for one in seeds]
    graded = [_Trial(one, five_grades) for one in seeds[:_GRADED_SEEDS]]
    bars = [_theta_bar(trials), _tau_bar(trials), *_alarm_bars(trials)]
    return Findings(bars, {"one in five relevant": _describe(trials), "five grades of relevance": _describe(graded)})


class _Trial:
    """What is learned from one log of users with the published trust bias, and when the alarm rings.

    Attributes:
        error: Largest absolute error of theta at ranks 1 to 10.
        labels: Kendall's tau of the labels with the relevance, mean over queries.
        swapped: The same of labels by the curve found.
        rates: The same of raw click rates.
        alarm: Whether the alarm rings for the curve found.
        too_steep: Whether it rings for each kind of user with eta 1 when 2 is assumed.
        right: Whether it rings for them when 1 is assumed, or their true curve.
    """

    def __init__(self, seed: int, draw: Callable[[np.random.Generator], Floats] = one_in_five) -> None:
        habit = published_trust()
        searches = draw_searches(seed, draw)
        log = log_clicks(searches, habit, CLICKS)
        found = intervention_log(log)
        self.family = found.family
        self.error = float(np.abs(found.theta - habit.theta)[:DEPTH].max())
        self.labels = rank_agreement(searches, log, label_rows(searches, log))
        self.swapped = rank_agreement(searches, log, label_rows(searches, log, found.curve))
        self.rates = rank_agreement(searches, log, log.clicked.sum(axis=1) / np.maximum(log.shown.sum(axis=1), 1))
        self.alarm = overcorrects(log.shown, log.clicked, found.curve)
        logs = [(log_clicks(searches, user, CLICKS), user.curve) for user in USERS]
        self.too_steep = [overcorrects(one.shown, one.clicked, assume(2.0)) for one, _ in logs]
        self.right = [
            overcorrects(one.shown, one.clicked, curve) for one, true in logs for curve in (assume(1.0), true)
        ]


def intervention_log(log: ClickLog) -> HarvestedCurve:
    """Return the curve that a log's swaps show."""
    folds = assign_folds(QUERIES)
    return harvest_interventions(log.shown, log.clicked, np.repeat(folds, DOCUMENTS))


def label_rows(searches: Searches, log: ClickLog, curve: ClickCurve | None = None) -> Floats:
    """Return the relevance that labels give each row of a log, 0 without a label."""
    labels, _ = label(log.evidence(), searches.beliefs(), curve)
    relevance = np.zeros(QUERIES * DOCUMENTS)
    for one in labels:
        relevance[int(one.query_key[1:]) * DOCUMENTS + int(one.document_id[1:])] = one.relevance
    return relevance


def rank_agreement(searches: Searches, log: ClickLog, estimates: Floats) -> float:
    """Return Kendall's tau-b of estimates and true relevance of the documents shown, the mean over queries.

    Queries whose shown documents are all alike are left out; estimates all alike agree by 0.
    """
    shown = (log.shown.sum(axis=1) > 0).reshape(QUERIES, DOCUMENTS)
    pairs = shown[:, :, None] & shown[:, None, :]
    truth, guess = (
        np.where(pairs, np.sign(values[:, :, None] - values[:, None, :]), 0.0)
        for values in (searches.relevance, estimates.reshape(QUERIES, DOCUMENTS))
    )
    decided, guessed = np.abs(truth).sum(axis=(1, 2)), np.abs(guess).sum(axis=(1, 2))
    agreement = (truth * guess).sum(axis=(1, 2)) / np.sqrt(np.maximum(decided * guessed, 1.0))
    return float(agreement[decided > 0].mean())


def assume(eta: float) -> ClickCurve:
    """Return the prior curve with another steepness."""
    bend = _RANKS ** (_PRIOR_ETA - eta)
    relevant, other = np.array(PRIOR_CURVE.relevant) * bend, np.array(PRIOR_CURVE.other) * bend
    return ClickCurve(tuple(relevant.tolist()), tuple(other.tolist()))


def _theta_bar(trials: Sequence[_Trial]) -> Bar:
    worst = max(trial.error for trial in trials)
    return at_most("ingest.4", f"largest error of theta at ranks 1-10 in {len(trials)} logs", worst, 0.05)


def _tau_bar(trials: Sequence[_Trial]) -> Bar:
    better = fmean(trial.labels > trial.rates for trial in trials)
    return at_least("ingest.4", f"share of {len(trials)} seeds where labels rank better than raw CTR", better, 0.95)


def _alarm_bars(trials: Sequence[_Trial]) -> list[Bar]:
    wrong = [rings for trial in trials for rings in trial.too_steep]
    right = [rings for trial in trials for rings in trial.right]
    return [
        at_least("ingest.4", f"share of {len(wrong)} runs where the alarm rings, eta 2 for 1", fmean(wrong), 1.0),
        at_most("ingest.4", f"share of {len(right)} runs where the alarm rings, curve right", fmean(right), 0.05),
    ]


def _describe(trials: Sequence[_Trial]) -> dict[str, Any]:
    families = [trial.family for trial in trials]
    worst = sorted(trial.error for trial in trials)
    return {
        "logs": len(trials),
        "largest error of theta, median": round(worst[len(worst) // 2], 4),
        "largest error of theta, worst": round(worst[-1], 4),
        "logs beyond 0.05": sum(one > 0.05 for one in worst),
        "families": {name: families.count(name) for name in sorted(set(families))},
        "tau of labels": round(fmean(trial.labels for trial in trials), 4),
        "tau of labels by the curve found": round(fmean(trial.swapped for trial in trials), 4),
        "tau of raw CTR": round(fmean(trial.rates for trial in trials), 4),
        "labels better": round(fmean(trial.labels > trial.rates for trial in trials), 4),
        "labels by the curve found better": round(fmean(trial.swapped > trial.rates for trial in trials), 4),
        "alarms for the curve found": sum(trial.alarm for trial in trials),
    }
