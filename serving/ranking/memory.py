"""What users of a query, and of queries like it, chose before."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

import numpy as np

from foundation.arrays import Bits, Flags, Floats, Ints
from serving.index.dense.index import DenseIndex
from serving.index.fingerprint import WORDS, dice, fingerprint

Chosen = dict[str, float]
"""How strongly documents were chosen, by id."""

_NEAREST = 64
_SIMILARITY_FLOOR = 0.4


@dataclass(frozen=True, slots=True)
class Remembered:
    """One past query.

    Attributes:
        vector: Unit vector of the query, float32 of shape (dimension,).
        choices: Relevance in [0, 1] by document id, of the documents relevant enough to be remembered.
    """

    key: str
    vector: Floats
    choices: Mapping[str, float]
    trigrams: Bits = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "trigrams", fingerprint(self.key))


@dataclass(frozen=True, slots=True)
class Recalled:
    """What users of other queries chose.

    Attributes:
        meaning: By queries alike in meaning, their choices summed.
        spelling: By queries alike in spelling, likewise.
        best_meaning: By the one of the queries alike in meaning that says most.
        best_spelling: By the one of the queries alike in spelling that says most.
        choices: By all queries, alike or not, summed; one for each memory.
    """

    meaning: Chosen = field(default_factory=dict)
    spelling: Chosen = field(default_factory=dict)
    best_meaning: Chosen = field(default_factory=dict)
    best_spelling: Chosen = field(default_factory=dict)
    choices: tuple[Chosen, ...] = ()

    def popular(self, document: str) -> float:
        """Return how strongly a document was chosen by all queries, alike or not."""
        return sum(chosen.get(document, 0.0) for chosen in self.choices)

    def plus(self, other: Recalled) -> Recalled:
        """Return what two memories of different queries recall together."""
        return Recalled(
            meaning=_sum(self.meaning, other.meaning),
            spelling=_sum(self.spelling, other.spelling),
            best_meaning=_larger(self.best_meaning, other.best_meaning),
            best_spelling=_larger(self.best_spelling, other.best_spelling),
            choices=(*self.choices, *other.choices),
        )


class QueryMemory:
    """Past queries, by meaning and by spelling. Immutable.

    Args:
        past: The queries, each key once.
    """

    def __init__(self, past: list[Remembered], dimension: int) -> None:
        self.past = past
        self._vectors: Floats = (
            np.stack([query.vector for query in past]) if past else np.zeros((0, dimension), dtype=np.float32)
        )
        self._index = DenseIndex(dimension)
        self._index.add(list(range(len(past))), self._vectors)
        self._others: tuple[Set[str], int, Flags] | None = None
        self._trigrams: Bits = (
            np.stack([query.trigrams for query in past]) if past else np.zeros((0, WORDS), dtype=np.uint64)
        )
        self._popular: Chosen = {}
        for query in past:
            for document, relevance in query.choices.items():
                self._popular[document] = self._popular.get(document, 0.0) + relevance

    def recall(self, key: str, vector: Floats, without: Set[str] = frozenset()) -> Recalled:
        """Return what users of similar queries chose, by meaning and by spelling, and what users chose anywhere.

        Each past query gives its choices with weight relu((s - 0.4) / 0.6)^3 of its similarity s; their sums and
        their largest are returned. The query's own key never counts as alike: its own clicks act by
        `serving.ranking.click_boost`.

        Args:
            without: Further keys to leave out; a set that grows only.
        """
        if not self.past:
            return Recalled()
        others = self._outside(without)
        near = self._index.search(vector, _NEAREST + 1, others)
        meaning, best_meaning = self._gather(key, np.array(near, np.int64), self._vectors[near] @ vector)
        alike = dice(fingerprint(key), self._trigrams)
        spelt = np.flatnonzero(alike > _SIMILARITY_FLOOR if others is None else (alike > _SIMILARITY_FLOOR) & others)
        spelling, best_spelling = self._gather(key, spelt, alike[spelt])
        return Recalled(meaning, spelling, best_meaning, best_spelling, (self._popular,) if self._popular else ())

    def _outside(self, keys: Set[str]) -> Flags | None:
        """Return which queries are not among some keys, None for all; kept until the keys are more."""
        if not keys:
            return None
        known = self._others
        if known is None or known[0] is not keys or known[1] != len(keys):
            known = self._others = keys, len(keys), np.array([one.key not in keys for one in self.past])
        return known[2]

    def _gather(self, key: str, numbers: Ints, similarity: Floats) -> tuple[Chosen, Chosen]:
        """Return the sums and the largest of what the nearest of some queries chose, but for that with the key."""
        nearest = np.argsort(-similarity, kind="stable")[: _NEAREST + 1]
        pairs = zip(numbers[nearest].tolist(), similarity[nearest].tolist(), strict=True)
        near = [
            (number, alike) for number, alike in pairs if alike > _SIMILARITY_FLOOR and self.past[number].key != key
        ]
        total: Chosen = {}
        largest: Chosen = {}
        for number, alike in near[:_NEAREST]:
            weight = ((alike - _SIMILARITY_FLOOR) / (1 - _SIMILARITY_FLOOR)) ** 3
            for document, relevance in self.past[number].choices.items():
                total[document] = total.get(document, 0.0) + weight * relevance
                largest[document] = max(largest.get(document, 0.0), weight * relevance)
        return total, largest


def _sum(one: Chosen, other: Chosen) -> Chosen:
    if not one or not other:
        return one or other
    return {document: one.get(document, 0.0) + other.get(document, 0.0) for document in one | other}


def _larger(one: Chosen, other: Chosen) -> Chosen:
    return {document: max(one.get(document, 0.0), other.get(document, 0.0)) for document in one | other}
