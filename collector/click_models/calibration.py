"""How much dwell times and outcomes say of a document, learned from lists that were also rated (pure).

Ratings are few and not given at random, so they calibrate the signals that are many, and train nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from collector.click_models.labels import USUAL_SIGNALS, Signals
from collector.fold.outcomes import Outcome, satisfaction

STRENGTH = 50.0
"""Rated documents by which the usual signals are held, of each kind of rating."""

_USUAL_SHARE = 0.2  # of the documents users disliked that look satisfied, and of those they liked that do not
_MAX_LOG_RATIO = 3.0


def calibrate(outcomes: Iterable[Outcome]) -> Signals:
    """Return the log-odds that satisfied and dissatisfied users add to a document, from those they also rated.

    Each document with a clear rating (4 or 5 stars, 1 or 2) is one observation: did the rest of the
    list's outcome, without the rating, call its user satisfied, dissatisfied or neither? The shares
    among liked and disliked documents, held back by the usual ones, give the log likelihood ratios. A
    signal never speaks against its name, and never for more than 3.

    Args:
        outcomes: What users did with lists; those without a clear rating are left out.
    """
    rated = {+1: [0, 0, 0], -1: [0, 0, 0]}  # by rating: documents, satisfied, dissatisfied
    for outcome in outcomes:
        unrated = replace(outcome, ratings={})
        for document_id in outcome.ratings:
            verdict = satisfaction(replace(outcome, dwell={}, conversions={}, credited=""), document_id)
            if verdict:
                said = satisfaction(unrated, document_id)
                tally = rated[verdict]
                tally[0] += 1
                tally[1] += said > 0
                tally[2] += said < 0
    liked, disliked = rated[+1], rated[-1]
    usual = USUAL_SIGNALS
    satisfied = _log_ratio((liked[1], liked[0]), (disliked[1], disliked[0]), usual.satisfied)
    dissatisfied = _log_ratio((disliked[2], disliked[0]), (liked[2], liked[0]), -usual.dissatisfied)
    return Signals(_within(satisfied), -_within(dissatisfied))


def _log_ratio(expected: tuple[int, int], unexpected: tuple[int, int], usual: float) -> float:
    """Return the log ratio of two shares (count, of), held toward shares with the usual log ratio."""
    more = (expected[0] + STRENGTH * _USUAL_SHARE * math.exp(usual)) / (expected[1] + STRENGTH)
    less = (unexpected[0] + STRENGTH * _USUAL_SHARE) / (unexpected[1] + STRENGTH)
    return math.log(more / less)


def _within(log_ratio: float) -> float:
    return min(max(log_ratio, 0.0), _MAX_LOG_RATIO)
