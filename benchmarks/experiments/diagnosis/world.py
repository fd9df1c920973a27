"""A small world of queries, rankings and users, in which one thing or another keeps a gain from arriving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from foundation.arrays import Doubles, Floats

DOCUMENTS = 16
"""Candidates of each query; lists show ten."""

DEPTH = 10
USERS = 400
_BITS = 64
_POPULAR = 0.6
_CLICK_RELEVANT, _CLICK_OTHER = 0.8, 0.08
_QUICK_MS = 50.0

Ranking = list[str]
Scores = Mapping[str, Doubles]
"""Scores of each query's documents."""


@dataclass(frozen=True, slots=True)
class Users:
    """How users read a list.

    Attributes:
        steepness: They look at rank k with probability k to the power of minus this.
        impatience: Share of the searches that nobody looks at any more, each time that the list takes e times longer.
    """

    steepness: float = 1.0
    impatience: float = 0.0

    def clicks(self, relevant: list[bool], took_ms: float, random: np.random.Generator) -> list[int]:
        """Return the ranks clicked."""
        ranks = np.arange(1, len(relevant) + 1)
        chances = ranks**-self.steepness * np.where(relevant, _CLICK_RELEVANT, _CLICK_OTHER)
        stays = random.random() >= self.impatience * np.log(max(took_ms, _QUICK_MS) / _QUICK_MS)
        return (np.flatnonzero(random.random(len(ranks)) < chances) + 1).tolist() if stays else []


PATIENT = Users()


@dataclass(frozen=True, slots=True)
class QueryWorld:
    """Queries, how often each is asked, and which of their documents answer them.

    Attributes:
        popularity: Probability of each query, in their order.
        relevant: Relevance of each query's documents.
    """

    queries: list[str]
    popularity: Doubles
    relevant: Mapping[str, Doubles]
    names: Mapping[str, list[str]] = field(default_factory=dict)

    def rank(self, scores: Scores, query: str) -> Ranking:
        """Return the documents of a query, best first."""
        return [self.names[query][place] for place in np.argsort(-scores[query], kind="stable").tolist()]

    def is_relevant(self, query: str, documents: list[str]) -> list[bool]:
        """Return which documents answer a query."""
        right = {self.names[query][place] for place in np.flatnonzero(self.relevant[query]).tolist()}
        return [document in right for document in documents]

    def shuffled(self, random: np.random.Generator) -> QueryWorld:
        """Return the same queries with other documents that answer them."""
        return replace(self, relevant={key: random.permutation(one) for key, one in self.relevant.items()})

    def score(self, skill: float, random: np.random.Generator) -> Scores:
        """Return how a ranking of some skill sees the documents: their relevance times that, and noise of its own."""
        return {key: skill * self.relevant[key] + random.normal(0, 1, DOCUMENTS) for key in self.queries}

    def ask(self, count: int, random: np.random.Generator, without: float = 0.0) -> Iterator[tuple[str, str]]:
        """Yield users and what they ask.

        Args:
            without: Share of the searches that ask what nobody asked before.
        """
        activity = random.lognormal(0.0, 0.7, USERS)
        users = random.choice(USERS, count, p=activity / activity.sum())
        half = len(self.queries) // 2
        known, new = (self._shares(side) for side in (np.arange(half), np.arange(half, 2 * half)))
        fresh = random.random(count) < without
        drawn = np.where(fresh, random.choice(2 * half, count, p=new), random.choice(2 * half, count, p=known))
        for user, query in zip(users.tolist(), drawn.tolist(), strict=True):
            yield f"user-{user}", self.queries[query]

    def _shares(self, places: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Doubles:
        shares = np.zeros(len(self.queries))
        shares[places] = self.popularity[places] / self.popularity[places].sum()
        return shares


def make_world(queries: int, random: np.random.Generator, *, relevant: int = 2, unanswered: float = 0.0) -> QueryWorld:
    """Return a world of so many queries that are asked, and as many that nobody asks as long as nothing drifts.

    Args:
        relevant: How many documents answer a query.
        unanswered: Share of the queries that none answers.
    """
    names = [f"query {number}" for number in range(2 * queries)]
    popularity = np.tile(np.arange(1, queries + 1, dtype=np.float64) ** -_POPULAR, 2)
    return QueryWorld(
        queries=names,
        popularity=popularity,
        relevant={key: _draw_relevant(random, relevant, unanswered) for key in names},
        names={key: [f"{key}/{place}" for place in range(DOCUMENTS)] for key in names},
    )


def _draw_relevant(random: np.random.Generator, relevant: int, unanswered: float) -> Doubles:
    count = 0 if random.random() < unanswered else relevant
    return random.permutation(np.arange(DOCUMENTS) < count).astype(np.float64)


def encode(queries: list[str]) -> Floats:
    """Return a vector of each query by which only those that share their first two words are near."""
    return np.stack([_vector(" ".join(query.split()[:2])) for query in queries])


def _vector(words: str) -> Floats:
    seed = int.from_bytes(words.encode()[-8:].rjust(8), "big")
    vector = np.random.default_rng(seed).normal(size=_BITS)
    unit: Floats = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit
