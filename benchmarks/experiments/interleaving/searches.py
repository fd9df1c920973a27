"""Simulated searches of interleaved lists: what their clicks prefer, and how many of them an answer takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ab_testing.ranking.team_draft import interleave
from collector.fold.preference import preference

Lists = Sequence[Sequence[str]]
"""The ranked document ids of each side, the control's first."""

Clicks = Callable[[Sequence[str], np.random.Generator], list[int]]
"""Which ranks a user clicks of the documents shown."""

DEPTH = 10
ALPHA, POWER = 0.05, 0.8
ENDLESS = 1e9
"""Searches where nothing would ever be proven; JSON has no infinity."""

_Z = float(ndtri(1 - ALPHA / 2) + ndtri(POWER))


def prefer(
    searches: Iterable[tuple[Lists, Clicks]], random: np.random.Generator, treatment: str = "treatment"
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, search by search, its weight signed by whom its clicks prefer, and its weight; 0 without a choice."""
    signed, weights = [], []
    for lists, clicks in searches:
        slots = interleave(lists, DEPTH, int(random.integers(2**63)))
        clicked = clicks([slot.document_id for slot in slots], random)
        side, weight = preference([slot.team for slot in slots], clicked, treatment) or (0, 0)
        signed.append(side * weight)
        weights.append(weight)
    return np.array(signed), np.array(weights)


def searches_of_preference(signed: NDArray[np.int64], weights: NDArray[np.int64]) -> float:
    """Return the searches after which a fixed test proves the preference with 80% power."""
    residual = signed - weights * (signed.sum() / max(weights.sum(), 1))
    return _needed(float(signed.mean()), float((residual**2).mean()))


def searches_of_rates(control: float, treatment: float) -> float:
    """Return the searches of both arms together by which an A/B test proves a difference between two shares."""
    return _needed(treatment - control, 2 * (control * (1 - control) + treatment * (1 - treatment)))


def _needed(mean: float, variance: float) -> float:
    return min(_Z**2 * variance / mean**2, ENDLESS) if mean else ENDLESS
