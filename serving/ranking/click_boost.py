"""How a query's own clicks and skips change its next ranking, bounded by how many people stand behind them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from foundation.arrays import Doubles, Floats
from foundation.contracts import ClickCurve
from foundation.packed_evidence import QueryEvidence, read_curve

_LARGEST_DROP = -2.0
_LIFT_PER_DOUBLING = 1.5
_MANY = 3
"""So many people may bring a document as high as the log-odds of their clicks do."""


@dataclass(frozen=True, slots=True)
class ClickBoosts:
    """What the clicks and skips of one query say of documents; arrays of shape (n,), n documents.

    Attributes:
        documents: Their ids.
        log_odds: What clicks, skips and satisfaction say together, unbounded.
        skipped: What the skips alone say, at most 0.
        heaviest: What the heaviest of these skips says.
        clicks: Lists that clicked it.
        people: How many people speak for it; all searches without user and session are half a person.
    """

    documents: Sequence[str] = ()
    log_odds: Doubles = field(default_factory=lambda: np.zeros(0))
    skipped: Doubles = field(default_factory=lambda: np.zeros(0))
    heaviest: Doubles = field(default_factory=lambda: np.zeros(0))
    clicks: Doubles = field(default_factory=lambda: np.zeros(0))
    people: Doubles = field(default_factory=lambda: np.zeros(0))

    @property
    def lifted(self) -> list[str]:
        """The documents that the evidence speaks for."""
        return [self.documents[place] for place in np.flatnonzero(self.bounded() > 0).tolist()]

    def of(self, places: list[int]) -> ClickBoosts:
        """Return what they say of some of the documents."""
        names = [self.documents[place] for place in places]
        columns = (self.log_odds, self.skipped, self.heaviest, self.clicks, self.people)
        return ClickBoosts(names, *(column[places] for column in columns))

    def bounded(self, lists: float = 0.0) -> Doubles:
        """Return what the boosts add to scores, so that they never outweigh the text by themselves.

        At most 1.5 log2(1 + people) up, which is a factor of 4.5 in odds for one person, and at most 2 down.

        Args:
            lists: So many lists are left out of those that passed each document over, as if they weighed heaviest.
        """
        left_out = np.maximum(self.skipped, self.heaviest * lists)
        most = _LIFT_PER_DOUBLING * np.log2(1 + self.people)
        result: Doubles = np.clip(self.log_odds - left_out, _LARGEST_DROP, most)
        return result


NO_BOOSTS = ClickBoosts()


def read_boosts(evidence: QueryEvidence | None, curve: ClickCurve) -> ClickBoosts:
    """Return what the evidence of one query says of its documents.

    Satisfaction and disappointment after the click count as further clicks and skips.
    """
    if evidence is None or not evidence.documents:
        return NO_BOOSTS
    passed, clicked = evidence.passed, evidence.clicked
    _, skip = read_curve(curve, passed.shape[1])
    return ClickBoosts(
        documents=evidence.documents,
        log_odds=evidence.log_odds(curve) + 0.5 * evidence.praise,
        skipped=passed @ skip,
        heaviest=np.where(passed > 0, skip, 0.0).min(axis=1),
        clicks=clicked.sum(axis=1, dtype=np.float64),
        people=evidence.users.astype(np.float64),
    )


def add_boosts(scores: Floats, boosts: ClickBoosts, places: Mapping[str, int]) -> Floats:
    """Return scores with the boosts added, but no document higher than its people can bring it.

    One person divides a document's rank by two at most, and brings rank 11 to rank 6; two divide it by three. From
    three people on only the bound on the boost holds. The rank is that without the lists that
    clicked it: without these clicks, and without what the same lists passed over. The documents that most people
    speak for are placed first.

    Args:
        scores: Scores of the candidates, in log-odds, shape (n,).
        places: Place in `scores` by document id; boosts of other documents have no effect.
    """
    boosts = boosts.of([place for place, name in enumerate(boosts.documents) if name in places])
    if not boosts.documents:
        return scores
    rows = np.array([places[name] for name in boosts.documents], dtype=np.int64)
    lifts, people = boosts.bounded(), boosts.people
    raised = scores.astype(np.float64)
    raised[rows] += np.minimum(lifts, 0.0)
    for place in np.lexsort((-lifts, -people)).tolist():
        if lifts[place] <= 0:
            continue
        row = rows[place]
        before = scores.astype(np.float64)
        before[rows] += boosts.bounded(boosts.clicks[place])
        before[row] = scores[row] + max(boosts.skipped[place], _LARGEST_DROP)
        rank = 1 + int(np.count_nonzero(before > before[row]))
        reach = math.ceil(rank / (1 + people[place])) if people[place] < _MANY else 1
        top = math.inf if reach == 1 else _score_at(np.delete(raised, row), reach)
        raised[row] = min(scores[row] + lifts[place], top)
    return raised.astype(np.float32)


def _score_at(scores: Doubles, rank: int) -> float:
    """Return the score at a rank, so that a document with it stands no higher."""
    return float(np.nextafter(np.partition(scores, -rank)[-rank], -math.inf)) if rank <= len(scores) else -math.inf
