"""A year of candidates of which none is better, one a day, on the way to all traffic; and a bad one that slips through.

Verdicts and steps come from the code that decides live ones, at the looks that come nearest to a promotion or to harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ab_testing.decide.levels import HARM_ALPHA
from ab_testing.decide.rules import Verdict, decide
from ab_testing.design.ledger import false_promotions_a_year
from ab_testing.design.plan import ExperimentPlan
from ab_testing.metrics.choice import metrics_of
from ab_testing.stats.sequential import Hybrid, one_sided_critical_value
from benchmarks.experiments.bars import Bar, Figure, at_least, at_most, share_of
from benchmarks.experiments.simulate import Audience, Stream, draw, look_at, mirror, trace
from foundation.sections import LearningSettings
from retrainer.autopilot.path import Standing, next_move
from retrainer.autopilot.plans import PathPlan, StagePlan, alpha_of

DAYS = 365
YEARS = 400
QUICK_YEARS = 2
LOOKS = 14
HOLDBACKS = 400
QUICK_HOLDBACKS = 20

HARM = -0.07
"""What a truly bad version adds to a click rate of 30%."""

_NULL = Audience(metric="preference", searches=4000)
_HELD = Audience(users=8000, searches=35_000, effect=HARM)
_GUARDRAILS = (("click_rate", 0.02), ("p95_latency", None), ("zero_result_rate", None))
_SETTINGS = LearningSettings()


def year(seed: int, quick: bool) -> list[Bar]:
    """Return two bars: false promotions a year within the budget, and bad versions rolled back within their window."""
    return [_false_promotions(seed, quick), _rolled_back(seed, quick)]


def _false_promotions(seed: int, quick: bool) -> Bar:
    """Every candidate that wins by interleaving counts: the A/B test does not ask whether it is better.

    Each experiment counts twice, the second time with its sides exchanged.
    """
    years = QUICK_YEARS if quick else YEARS
    plan = _path(_NULL.searches).experiment("interleave", "null", "new")
    wins = [won for child in np.random.SeedSequence([seed, 6]).spawn(DAYS * years // 2) for won in _wins(plan, child)]
    share, budget = share_of(wins), _SETTINGS.false_promotions_a_year
    what = (
        f"promotions a year of {DAYS} candidates that are no better, {years} years, {LOOKS} looks each, at most "
        f"{false_promotions_a_year(plan.alpha, DAYS):.2f} by their alpha of {plan.alpha:.4f}"
    )
    figure = Figure(DAYS * share.value, DAYS * share.error)
    return at_most("ab.false_promotions_a_year", what, figure, bound=budget, quick=quick)


def _rolled_back(seed: int, quick: bool) -> Bar:
    count = QUICK_HOLDBACKS if quick else HOLDBACKS
    plan = _path(_HELD.searches).experiment("holdback", "bad", "new")
    held = replace(_HELD, treated=plan.shares[1])
    found = [_goes_back(plan, held, child) for child in np.random.SeedSequence([seed, 7]).spawn(count)]
    what = (
        f"share of {count} bad versions ({HARM:+.2f} of a click rate of {held.rate:.2f}) that the holdback rolls back "
        f"within {plan.max_days:g} days, with {held.searches / plan.max_days:.0f} searches a day in it and "
        f"{plan.shares[0]:.0%} of their users under the version before"
    )
    return at_least("ab.holdback_rolls_back", what, share_of(found), bound=0.95, quick=quick)


def _path(searches: int) -> PathPlan:
    """Return the way of a candidate by the usual settings, with experiments of two weeks."""
    sized = StagePlan(searches, _SETTINGS.holdback_days, guardrails=_GUARDRAILS)
    stages = {"interleave": sized, "compare": sized, "holdback": sized}
    alpha, share = alpha_of(_SETTINGS), _SETTINGS.holdback_share
    return PathPlan("full", "old", alpha, _SETTINGS.experiment_coverage, share, stages)


def _wins(plan: ExperimentPlan, seed: np.random.SeedSequence) -> Iterator[bool]:
    """Yield whether the treatment wins with the sides as they are, and exchanged."""
    stream = draw(np.random.default_rng(seed), _NULL)
    traces = trace(_NULL, stream, LOOKS)
    test = Hybrid(plan.alpha, plan.planned_searches)
    bounds = np.array([test.running_critical_value(n) for n in traces.searches.tolist()])
    tested = Standing(version="new", control="old", champion="old", moved="")
    for one, seen in ((stream, traces), (mirror(_NULL, stream), traces.mirrored)):
        nearest = int((np.nan_to_num(seen.normal) - bounds).argmax())
        verdicts = [_decide(plan, _NULL, one, int(seen.searches[place])) for place in (nearest, LOOKS - 1)]
        steps = [next_move("interleave", replace(tested, verdict=verdict)) for verdict in verdicts]
        yield any(step.action == "advance" for step in steps)


def _goes_back(plan: ExperimentPlan, held: Audience, seed: np.random.SeedSequence) -> bool:
    stream = draw(np.random.default_rng(seed), held)
    traces = trace(held, stream, LOOKS)
    alpha = HARM_ALPHA / len(metrics_of(plan))
    bounds = [one_sided_critical_value(n, plan.planned_searches, alpha) for n in traces.searches.tolist()]
    nearest = int((np.nan_to_num(traces.normal) + np.array(bounds)).argmin())
    verdict = _decide(plan, held, stream, int(traces.searches[nearest]))
    serving = Standing(version="new", control="old", champion="new", moved="won", verdict=verdict)
    return next_move("holdback", serving).action == "roll_back"


def _decide(plan: ExperimentPlan, audience: Audience, stream: Stream, searches: int) -> Verdict:
    """Return the verdict after so many searches, a day's part of which came each day."""
    look = look_at(audience, stream, searches)
    return decide(plan, [replace(look, days=plan.max_days * searches / audience.searches)])
