"""Logs of simulated searches: two rankers, interleaved lists, and users with position and trust bias.

Relevance, rankers and users are drawn from a seed; what estimates them sees impressions and clicks only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from ab_testing.ranking.team_draft import interleave
from foundation.contracts import CURVE_RANKS, ClickCurve, Evidence
from simulator.users import PositionUser, TrustUser

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

QUERIES = 500
DOCUMENTS = 20
DEPTH = 10
_SKEW = 0.8  # Zipf exponent of the queries
_RANKER_NOISE = 0.5
_PRIOR_STEEPNESS = 2.0
_DRAFTS = 2  # different interleavings of a query
_SEARCHES_AT_ONCE = 500
_RANKS = np.arange(1, CURVE_RANKS + 1)


@dataclass(frozen=True, slots=True)
class Habit:
    """How users of one kind click.

    Attributes:
        theta: Probability that a rank is examined, relative to rank 1, shape (ranks,).
        relevant: Probability of a click by rank on a wholly relevant document, same shape.
        other: The same on one that is not relevant at all; grades between lie between.
    """

    theta: Floats
    relevant: Floats
    other: Floats

    @property
    def curve(self) -> ClickCurve:
        """The true click curve, kept from certainty: no click is sure."""
        return ClickCurve(tuple(np.minimum(self.relevant, 0.99).tolist()), tuple(self.other.tolist()))


def published_trust() -> Habit:
    """Return users with the trust bias of Oosterhuis and de Rijke 2021 (arXiv:2012.06576)."""
    theta = 0.35 / _RANKS + 0.65 / (1 + 0.05 * (_RANKS - 1))
    return Habit(theta, theta / (1 + 0.005 * (_RANKS - 1)), theta * 0.65 / _RANKS)


def simulated(user: PositionUser | TrustUser) -> Habit:
    """Return one of the simulator's users who examine rank k with probability 1/k."""
    relevant = np.array([user.click_probability(int(rank), user.max_grade) for rank in _RANKS])
    other = np.array([user.click_probability(int(rank), 0) for rank in _RANKS])
    return Habit(1.0 / _RANKS, relevant, other)


@dataclass(frozen=True, slots=True)
class Searches:
    """What was shown for the queries that users asked, and what stands behind it.

    Attributes:
        relevance: Of each query's documents, in [0, 1], shape (`QUERIES`, `DOCUMENTS`).
        prior: What a model believes of them, by query a distribution, same shape.
        drafts: Interleaved lists of each query, shape (`QUERIES`, drafts, `DEPTH`).
        random: Source of chance of what follows.
    """

    relevance: Floats
    prior: Floats
    drafts: Ints
    random: np.random.Generator

    def ask(self, count: int) -> tuple[Ints, Ints]:
        """Return that many searches: the queries asked, shape (count,), and the documents shown, (count, `DEPTH`)."""
        popularity = np.arange(1, QUERIES + 1) ** -_SKEW
        queries = self.random.choice(QUERIES, count, p=popularity / popularity.sum())
        return queries, self.drafts[queries, self.random.integers(self.drafts.shape[1], size=count)]

    def click(self, queries: Ints, documents: Ints, habit: Habit) -> npt.NDArray[np.bool_]:
        """Return who clicked what, in the shape of `documents`."""
        worth = self.relevance[queries[:, None], documents]
        chance = worth * habit.relevant[:DEPTH] + (1 - worth) * habit.other[:DEPTH]
        return self.random.random(chance.shape) < chance

    def beliefs(self) -> dict[str, dict[str, float]]:
        """Return the prior by names, as `collector.click_models.labels.label` takes it."""
        return {
            query_name(query): {document_name(place): chance for place, chance in enumerate(row)}
            for query, row in enumerate(self.prior.tolist())
        }


@dataclass(frozen=True, slots=True)
class ClickLog:
    """Impressions and clicks by query and document, the rows, and rank, shape (rows, ranks)."""

    shown: Floats
    clicked: Floats

    @property
    def rows(self) -> Ints:
        """The rows that were shown."""
        return np.flatnonzero(self.shown.sum(axis=1))

    def evidence(self) -> list[Evidence]:
        """Return the log as the collector keeps it."""
        return [
            Evidence(
                query_name(row // DOCUMENTS),
                document_name(row % DOCUMENTS),
                tuple(self.shown[row].tolist()),
                tuple(self.clicked[row].tolist()),
            )
            for row in self.rows.tolist()
        ]


def draw_searches(seed: int, draw_relevance: Callable[[np.random.Generator], Floats]) -> Searches:
    """Return queries, documents and interleaved rankings.

    Two rankers see the relevance through noise of their own, and so does the model of the prior.
    """
    random = np.random.default_rng(seed)
    relevance = draw_relevance(random)
    first, second, third = (relevance + random.normal(0, _RANKER_NOISE, relevance.shape) for _ in range(3))
    drafts = [
        [_interleave(*rankings, int(random.integers(2**31))) for _ in range(_DRAFTS)]
        for rankings in zip(np.argsort(-first), np.argsort(-second), strict=True)
    ]
    prior = softmax(_PRIOR_STEEPNESS * third, axis=1)
    return Searches(relevance, prior, np.array(drafts), random)


def one_in_five(random: np.random.Generator) -> Floats:
    """Return documents of which one in five is relevant and the others are not at all."""
    return (random.random((QUERIES, DOCUMENTS)) < 0.2).astype(np.float64)


def five_grades(random: np.random.Generator) -> Floats:
    """Return documents of five grades, most of them of the lowest."""
    grades = random.choice(5, (QUERIES, DOCUMENTS), p=(0.55, 0.15, 0.12, 0.10, 0.08))
    result: Floats = grades / 4
    return result


def log_clicks(searches: Searches, habit: Habit, clicks: int) -> ClickLog:
    """Return the log of searches until users of a habit have made so many clicks."""
    shown, clicked = np.zeros((2, QUERIES * DOCUMENTS, CURVE_RANKS))
    ranks = np.arange(DEPTH)
    while clicked.sum() < clicks:
        queries, documents = searches.ask(_SEARCHES_AT_ONCE)
        rows = queries[:, None] * DOCUMENTS + documents
        np.add.at(shown, (rows, ranks), 1.0)
        np.add.at(clicked, (rows, ranks), searches.click(queries, documents, habit).astype(np.float64))
    return ClickLog(shown, clicked)


def query_name(number: int) -> str:
    """Return the key of a query; keys sort as their numbers do."""
    return f"q{number:03d}"


def document_name(number: int) -> str:
    """Return the id of a document; ids sort as their numbers do."""
    return f"d{number:02d}"


def _interleave(first: Ints, second: Ints, seed: int) -> list[int]:
    slots = interleave([[str(one) for one in ranking] for ranking in (first, second)], DEPTH, seed)
    return [int(slot.document_id) for slot in slots]
