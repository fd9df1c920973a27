"""What lists showed to a person and what of it was chosen, beside what their ranks alone would bring (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from foundation.arrays import Doubles, Flags, Ints
from foundation.contracts import ChosenList, ClickCurve
from serving.index.corpus import Corpus

_MIN_SHOWN = 2
_DEPTH = 20
_MAX_ENTRIES = 800
_DAY_S = 86_400.0
_PLEASED = (0.02, 0.98)
"""Bounds of the share of what is shown that pleases."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person was shown, an entry for each document of each list; shape (n,) each.

    Attributes:
        count: How many of the entries were chosen.
        rows: Their rows in the corpus; a row may come again in another list.
        starts: Where each list's entries begin, shape (lists,).
        surplus: What its click or skip says of it beside what its rank brings about: the slope of the log likelihood.
        variance: How far chance moves that. Where people choose less by rank than the click curve says, more.
    """

    count: int
    rows: Ints
    starts: Ints
    surplus: Doubles
    variance: Doubles


def gather(
    lists: Sequence[ChosenList], corpus: Corpus, half_life_days: float, now: datetime, curve: ClickCurve
) -> Choices:
    """Return the choices from lists, as far as the corpus has the documents.

    Args:
        lists: The latest first. Their first twenty ranks count, 800 entries in all, and what was chosen from several
            counts for the latest.
    """
    met: set[str] = set()
    rows, ranks, starts = list[int](), list[int](), list[int]()
    worth, recency = list[float](), list[float]()
    for one in lists:
        first = [name for name, rank in one.ranks.items() if rank <= _DEPTH and name not in met]
        known = {name: row for name in first if (row := corpus.row(name)) is not None}
        chosen = {name: count for name, count in one.chosen.items() if name in known}
        if len(known) < _MIN_SHOWN or not chosen:
            continue
        if len(rows) + len(known) > _MAX_ENTRIES:
            break
        met.update(chosen)
        starts.append(len(rows))
        age_days = max((now - one.at).total_seconds(), 0.0) / _DAY_S
        for name, row in known.items():
            rows.append(row)
            ranks.append(one.ranks[name])
            worth.append(chosen.get(name, 0.0))
            recency.append(0.5 ** (age_days / half_life_days))
    picked = np.array(worth)
    weights = np.array(recency) * np.maximum(picked, 1.0)
    count = int(np.count_nonzero(picked))
    surplus, variance = _score(picked > 0, np.array(ranks, np.int64), curve)
    surplus, variance = weights * surplus, weights**2 * variance
    dispersion = max(1.0, float((surplus**2).sum()) / max(float(variance.sum()), 1e-9))  # quasi-likelihood
    return Choices(
        count, np.array(rows, np.int64), np.array(starts, np.int64), surplus / dispersion, variance / dispersion
    )


def _score(chosen: Flags, ranks: Ints, curve: ClickCurve) -> tuple[Doubles, Doubles]:
    """Return the slope of the log likelihood of each entry's click or skip, and how far chance moves it; shape (n,).

    By the log-odds to please, where all please alike: as much as brings about the clicks that there were.
    """
    at = np.minimum(ranks, len(curve.relevant)) - 1
    relevant, other = np.array(curve.relevant)[at], np.array(curve.other)[at]
    room = relevant - other
    share = float(np.clip((np.count_nonzero(chosen) - other.sum()) / max(float(room.sum()), 1e-9), *_PLEASED))
    chance = other + share * room
    slope = share * (1 - share) * room / (chance * (1 - chance))
    return slope * (chosen - chance), slope**2 * chance * (1 - chance)
