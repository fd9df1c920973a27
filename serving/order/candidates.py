"""What another engine found, and how sure it was of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from foundation.arrays import Doubles
from serving.ranking.fusion import CONVEX_SCALE

_FEW = 100
"""Rank at which an engine's list says as little for a document as a share of 0 does."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One document that another engine found; it need not be in the catalog.

    Attributes:
        score: The engine's score, larger is better; None where it tells none.
        title: As it is shown, "" where it is not sent.
        text: Likewise.
        fields: Further properties by name.
    """

    id: str
    score: float | None = None
    title: str = ""
    text: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


def engine_prior(candidates: Sequence[Candidate]) -> Doubles:
    """Return what the engine's list says of each candidate, in log-odds up to a constant; never rising, shape (n,).

    It stands where the shares of BM25 and meaning stand in a search of clickloop's own, and is as large: rank 1 is
    worth 10 and rank 100 nothing, evenly by the logarithm of the rank. Where all scores are told, they count half: as
    shares between the lowest and the best. Scores that rise within the list cannot be what it is ordered by; each
    counts at most as much as the one before it.

    Args:
        candidates: In the engine's order.
    """
    ranks = np.arange(1, len(candidates) + 1, dtype=np.float64)
    share: Doubles = 1 - np.log(ranks) / np.log(_FEW)
    scores = np.array([one.score for one in candidates if one.score is not None])
    if 1 < len(scores) == len(candidates):
        falling = np.minimum.accumulate(scores / max(1.0, float(np.abs(scores).max())))
        width = float(falling[0] - falling[-1])
        if width > 0:
            share = (share + (falling - falling[-1]) / width) / 2
    return CONVEX_SCALE * share
