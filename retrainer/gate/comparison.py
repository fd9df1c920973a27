"""Reads what users clicked under the beliefs of two versions, and weighs the two readings by the clicks themselves.

No single reading is fair: every prior favours the version whose belief it is, and with one list a query it decides
most. So clicks are read twice, under the champion's belief and under the candidate's, both equally sharp; the truth
lies between the two readings nearly always. Neither version learned from these clicks, so whose belief makes them
likelier is the one to be trusted more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Doubles, Flags
from foundation.contracts import Evidence, Labeller
from retrainer.gate.views import DEPTH, View
from retrainer.learners.belief import Odds, Relevance, log_likelihood, read_odds, relevance_of

_MIN_MASS = 0.2
_HALF_WEIGHT = 2.0
"""Lists of a query at which it weighs half of what it can: one list tells little, a fifth hardly more than four."""
_SHARES = np.linspace(0, 1, 101)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on the same queries; arrays of shape (n,).

    Attributes:
        keys: The judged queries.
        champion: Expected nDCG@10 by query, both readings weighed.
        candidate: The same of the candidate.
        overlap: Share of the champion's ten that the candidate also shows, by query.
        under_champion: Change of nDCG@10 when clicks are read under the champion's belief.
        under_candidate: Change when they are read under the candidate's.
        lists: How many lists of each query were looked at.
        weights: How much each query weighs, by its lists.
        share: How much the candidate's reading weighs, from 0 to 1: one half as long as clicks decide nothing.
        data: How much of the judgment is data, from 0 to 1: by what share clicks bring the readings together.
        unjudged: What of the change comes from documents that nobody looked at under this query.
        differs: Whether the two show other documents, or in another order, by query.
    """

    keys: list[str]
    champion: Doubles
    candidate: Doubles
    overlap: Doubles
    under_champion: Doubles
    under_candidate: Doubles
    lists: Doubles
    weights: Doubles
    share: float
    data: float
    unjudged: Doubles
    differs: Flags

    @property
    def change(self) -> Doubles:
        """Change of nDCG@10 by query, both readings weighed."""
        return self.candidate - self.champion

    @property
    def even_change(self) -> Doubles:
        """Change of nDCG@10 by query, the mean of both readings."""
        return (self.under_champion + self.under_candidate) / 2


def compare(champion: View, candidate: View, evidence: list[Evidence], labeller: Labeller) -> Comparison:
    """Return how two versions rank queries that neither learned from.

    Only what production showed could be clicked: a document without evidence has the relevance that the prior and
    the failures of its neighbours leave to it. Multiplying all scores of a version changes nothing.

    Args:
        champion: How the champion sees the queries of `evidence`, and maybe others.
        candidate: How the candidate sees the same.
    """
    views = (champion, candidate)
    read = [labeller(evidence, view.beliefs, None) for view in views]
    readings = [relevance_of(labels) for labels, _ in read]
    keys = [key for key in champion.tops if all(_mass(gains, key) >= _MIN_MASS for gains in readings)]
    odds = _mean_odds(*(read_odds(evidence, curve) for _, curve in read))
    share = weigh_beliefs(champion.beliefs, candidate.beliefs, odds, keys)
    qualities = np.array([[_qualities(view, gains, keys) for view in views] for gains in readings])  # reading, view
    untold = np.array([[_qualities(view, gains.beliefs, keys) for view in views] for gains in views])
    weighed = (1 - share) * qualities[0] + share * qualities[1]
    unjudged = np.array([_unjudged_changes(views, gains, keys, evidence) for gains in readings])
    changes, guesses = qualities[:, 1] - qualities[:, 0], untold[:, 1] - untold[:, 0]
    counted = count_lists(evidence)
    lists = np.array([counted[key] for key in keys])
    weights = lists / (lists + _HALF_WEIGHT)
    old, new = champion.tops, candidate.tops
    return Comparison(
        keys=keys,
        champion=weighed[0],
        candidate=weighed[1],
        overlap=np.array([len(set(old[key]) & set(new[key])) / max(1, len(old[key])) for key in keys]),
        under_champion=changes[0],
        under_candidate=changes[1],
        lists=lists,
        weights=weights,
        share=share,
        data=_share_of_data(changes[1] - changes[0], guesses[1] - guesses[0], weights),
        unjudged=(1 - share) * unjudged[0] + share * unjudged[1],
        differs=np.array([old[key] != new[key] for key in keys], dtype=np.bool_),
    )


def weigh_beliefs(champion: Relevance, candidate: Relevance, odds: Odds, keys: list[str]) -> float:
    """Return for what share of some queries the candidate's belief holds, by what users did; the champion's elsewhere.

    The mean of the posterior of the share of a two-part mixture, under a flat prior. Without clicks it is one half.
    """
    told = [[log_likelihood(beliefs[key], odds.get(key, {})) for key in keys] for beliefs in (champion, candidate)]
    one, other = np.array(told)
    best = np.maximum(one, other)
    ratios = (np.exp(one - best), np.exp(other - best))
    sums = np.log(np.outer(1 - _SHARES, ratios[0]) + np.outer(_SHARES, ratios[1]) + np.finfo(float).tiny).sum(axis=1)
    posterior = np.exp(sums - sums.max())
    return float(posterior @ _SHARES / posterior.sum())


def count_lists(evidence: list[Evidence]) -> dict[str, float]:
    """Return how many lists of each query were looked at: as many as showed the document that was shown most."""
    lists: dict[str, float] = {}
    for row in evidence:
        lists[row.query_key] = max(lists.get(row.query_key, 0.0), sum(row.shown), row.satisfied + row.dissatisfied)
    return lists


def ndcg(ranking: list[str], gains: Mapping[str, float], depth: int = DEPTH) -> float:
    """Return nDCG@depth of a ranking with linear gains (Järvelin and Kekäläinen 2002), 0 without any gain."""
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    found = np.array([gains.get(name, 0.0) for name in ranking[:depth]])
    ideal = np.sort(np.array(list(gains.values())))[::-1][:depth]
    best = float(ideal @ discounts[: len(ideal)])
    return float(found @ discounts[: len(found)]) / best if best > 0 else 0.0


def _mean_odds(one: Odds, other: Odds) -> Odds:
    """Return what was done as both curves read it, so that neither version's curve is preferred."""
    return {key: {name: (said + other[key][name]) / 2 for name, said in found.items()} for key, found in one.items()}


def _mass(gains: Relevance, key: str) -> float:
    return sum(gains.get(key, {}).values())


def _qualities(view: View, gains: Relevance, keys: list[str]) -> list[float]:
    return [ndcg(view.tops[key], gains[key]) for key in keys]


def _unjudged_changes(
    views: tuple[View, View], gains: Relevance, keys: list[str], evidence: list[Evidence]
) -> list[float]:
    """Return the part of each query's change of nDCG that comes from documents without evidence."""
    judged = {(row.query_key, row.document_id) for row in evidence if row.tells}
    return [
        after - before
        for key in keys
        for before, after in [[ndcg(_without(judged, key, view.tops[key]), gains[key]) for view in views]]
    ]


def _without(judged: set[tuple[str, str]], key: str, ranking: list[str]) -> list[str]:
    """Return a ranking whose judged documents give way to nothing."""
    return ["" if (key, name) in judged else name for name in ranking]


def _share_of_data(told: Doubles, untold: Doubles, weights: Doubles) -> float:
    """Return by what share the readings lie nearer together with the clicks than they would without."""
    gap, widest = abs(float(told @ weights)), abs(float(untold @ weights))
    return min(max(1 - gap / widest, 0.0), 1.0) if widest > 0 else 1.0
