"""What a version would have been clicked, estimated from lists that chance has interleaved (pure).

In an interleaved list chance decides which document stands where, with probabilities that the list keeps. Clicks on
those documents that stood where a version would put them, each divided by its probability, are on average the clicks
that the version would have had there, however users click, as long as they click a document by what it is and where it
stands. What never stood where a version would put it is guessed from its relevance, and the guess corrected wherever
it can be (doubly robust: Dudík, Langford and Li 2011, arXiv:1103.4601; by item and position: Li, Kim and Zitouni 2015,
doi:10.1145/2684822.2685311). How much of the difference is more than a guess is the coverage.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from collector.api import InterleavedSearch
from foundation.arrays import Doubles
from foundation.contracts import ClickCurve, Evidence, Labeller
from retrainer.gate.views import View
from retrainer.learners.belief import Relevance

MIN_COVERAGE = 0.6
"""Below, too much of the estimate is a guess to say anything by it."""
MIN_LISTS = 100
_CONFIDENCE = 0.95

Tops = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class OffPolicyEstimate:
    """How many clicks a search a candidate would gain over the champion.

    Attributes:
        lists: Interleaved lists of the judged queries.
        change: Clicks a search.
        low: Lower end of the 95% interval.
        high: Upper end.
        coverage: Share of the difference between both lists, by how much each rank is clicked, whose documents could
            have stood where the versions put them; 1 where both rank the same.
    """

    lists: int
    change: float
    low: float
    high: float
    coverage: float

    @property
    def says(self) -> bool:
        """Whether there is enough to say anything by."""
        return self.lists >= MIN_LISTS and self.coverage >= MIN_COVERAGE


@dataclass(frozen=True, slots=True)
class ClickGuess:
    """What clicks are expected of a document at a rank, by relevance and click curve.

    Attributes:
        relevance: Probability by query key and document id; 0 for others.
    """

    relevance: Relevance
    curve: ClickCurve

    def of(self, key: str, document: str, rank: int) -> float:
        """Return the probability of a click on a document at a rank."""
        relevant = self.relevance.get(key, {}).get(document, 0.0)
        place = min(rank, len(self.curve.relevant)) - 1
        return relevant * self.curve.relevant[place] + (1 - relevant) * self.curve.other[place]


def guess_clicks(evidence: list[Evidence], views: Sequence[View], labeller: Labeller) -> ClickGuess:
    """Return the guess that favours neither of some versions: the mean of what clicks say under the belief of each."""
    read = [labeller(evidence, view.beliefs, None) for view in views]
    relevance: Relevance = {}
    for labels, _ in read:
        for one in labels:
            chances = relevance.setdefault(one.query_key, {})
            chances[one.document_id] = chances.get(one.document_id, 0.0) + one.relevance / len(read)
    return ClickGuess(relevance, read[0][1])


def estimate_change(
    lists: Sequence[InterleavedSearch], champion: Tops, candidate: Tops, guess: ClickGuess
) -> OffPolicyEstimate:
    """Return how many clicks a search the candidate would gain; lists of one person are taken together.

    Args:
        champion: What it shows, by query key; lists of other queries say nothing.
        candidate: The same of the candidate.
    """
    known = [one for one in lists if one.query_key in champion and one.query_key in candidate]
    if not known:
        return OffPolicyEstimate(0, 0.0, -math.inf, math.inf, 0.0)
    told = np.array([_tell(one, champion[one.query_key], candidate[one.query_key], guess) for one in known])
    changes, covered, differing = told.T
    low, high = _interval(changes, [one.unit for one in known])
    total = float(differing.sum())
    coverage = float(covered.sum()) / total if total else 1.0
    return OffPolicyEstimate(len(known), float(changes.mean()), low, high, min(max(coverage, 0.0), 1.0))


def _tell(
    one: InterleavedSearch, champion: list[str], candidate: list[str], guess: ClickGuess
) -> tuple[float, float, float]:
    """Return the clicks that one list says are gained, how much of the difference it covers, and the difference."""
    gained = covered = differing = 0.0
    for sign, ranking, other in ((1.0, candidate, champion), (-1.0, champion, candidate)):
        for rank, document in enumerate(ranking, start=1):
            if other[rank - 1 : rank] == [document]:
                continue  # both put it there: nothing changes
            expected = guess.of(one.query_key, document, rank)
            gained += sign * expected
            weight = guess.curve.relevant[min(rank, len(guess.curve.relevant)) - 1]
            differing += weight
            if one.documents[rank - 1 : rank] == (document,):
                sure = 1 / one.propensities[rank - 1]
                gained += sign * ((rank in one.clicked) - expected) * sure
                covered += weight * sure
    return gained, covered, differing


def _interval(changes: Doubles, units: list[str]) -> tuple[float, float]:
    """Return the 95% interval of the mean; the lists of one unit vary together."""
    places = np.unique(units, return_inverse=True)[1]
    sums, counts = np.bincount(places, changes), np.bincount(places)
    people, mean = len(sums), float(changes.mean())
    if people < 2:
        return -math.inf, math.inf
    error = math.sqrt(people / (people - 1) * float(((sums - mean * counts) ** 2).sum())) / len(changes)
    reach = float(t.ppf((1 + _CONFIDENCE) / 2, people - 1)) * error
    return mean - reach, mean + reach
