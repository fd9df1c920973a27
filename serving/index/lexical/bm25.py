"""Scores the rows of an index by BM25, by what stands in the collection now and not by how this copy came to it.

The statistics of an index that deletes and merges by itself count rows that are gone until they are merged away: two
copies of one collection score differently. Here only present rows count.

Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, with k1 = 1.2 and b = 0.75.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial

import numpy as np
import tantivy

from foundation.arrays import Doubles, Flags, Floats, Ints
from serving.index.lexical.clauses import TEXT, TEXTS, Clauses, Term
from serving.index.lexical.postings import Posting, Postings
from serving.index.lexical.storage import ROW, WORDS

_K1 = 1.2
_B = 0.75
_COUNTS_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Matches:
    """What an index finds.

    Attributes:
        scores: BM25 by row of the best rows, best first.
        total: How many rows match, also beyond these.
        texts: BM25 by the text alone, by row of the best of these rows, best first.
    """

    scores: dict[int, float]
    total: int
    texts: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Present:
    """The rows of one state of the index. A state is never changed.

    Attributes:
        alive: Whether a row is there, bool by row.
        words: How many words its title and its text have, by field and row; shape (rows,).
    """

    alive: Flags
    words: Mapping[str, Ints]

    @cached_property
    def documents(self) -> int:
        """The number of rows that are there."""
        return int(np.count_nonzero(self.alive))

    @cached_property
    def saturation(self) -> Mapping[str, Floats]:
        """What divides a word's count beside itself, by field and row: k1 (1 - b + b words / mean words)."""
        return {name: self._saturation(words) for name, words in self.words.items()}

    def changed(self, added: Mapping[int, Mapping[str, int]], removed: Collection[int]) -> Present:
        """Return the state after some rows came and others went.

        Args:
            added: The number of words by field, by row.
        """
        rows = max(len(self.alive), max(added, default=-1) + 1)
        alive = np.zeros(rows, np.bool_)
        alive[: len(self.alive)] = self.alive
        alive[list(added)] = True
        alive[list(removed)] = False
        words = {}
        for name, before in self.words.items():
            words[name] = np.zeros(rows, np.int64)
            words[name][: len(before)] = before
            words[name][list(added)] = [counts[name] for counts in added.values()]
        return Present(alive, words)

    def _saturation(self, words: Ints) -> Floats:
        mean = int(words[self.alive].sum()) / max(self.documents, 1)
        result: Floats = (_K1 * (1 - _B + _B * words / max(mean, 1e-9))).astype(np.float32)
        return result


NO_ROWS = Present(np.zeros(0, np.bool_), {name: np.zeros(0, np.int64) for name in TEXTS})


def read_present(searcher: tantivy.Searcher) -> Present:
    """Return the rows of an index that was there before."""
    every = searcher.search(tantivy.Query.all_query(), max(searcher.num_docs, 1), False).hits
    addresses = [address for _, address in every]
    rows = searcher.fast_field_values(ROW, addresses)
    words = {name: searcher.fast_field_values(field, addresses) for name, field in WORDS.items()}
    return NO_ROWS.changed(
        {int(row or 0): {name: int(words[name][number] or 0) for name in WORDS} for number, row in enumerate(rows)}, ()
    )


@dataclass(frozen=True)
class IndexState:
    """An index as of one commit.

    Attributes:
        searcher: What reads its terms.
        present: Its rows.
        postings: What is known of its terms; shared by all states.
    """

    searcher: tantivy.Searcher
    present: Present
    postings: Postings

    def posting(self, term: Term) -> Posting:
        """Return the rows of a term; some may be gone."""
        return self.postings.of(self.searcher, term, len(self.present.alive))

    def count(self, name: str, word: str) -> int:
        """Return how many rows hold a word in a field."""
        return self._counts(name, word)

    @cached_property
    def _counts(self) -> Callable[[str, str], int]:
        """`_count` of this state, with what it said last; it knows no state, so that one that nobody needs is gone."""
        return lru_cache(_COUNTS_KEPT)(partial(_count, self.searcher, self.present, self.postings))


def _count(searcher: tantivy.Searcher, present: Present, postings: Postings, name: str, word: str) -> int:
    if not searcher.doc_freq(name, word):
        return 0
    rows = postings.of(searcher, (name, word), len(present.alive)).rows
    return int(np.count_nonzero(present.alive[rows]))


class Bm25Search:
    """A query against one state of the index."""

    def __init__(self, state: IndexState, clauses: Clauses) -> None:
        self._state = state
        self._weights = clauses.asked
        self._count = clauses.count

    def best(
        self, limit: int, allowed: Flags | list[int] | None = None, texts: int = 0, ties: Ints | None = None
    ) -> Matches:
        """Return the best rows.

        Args:
            allowed: The rows that count: bool by row, beyond whose end no row does, or the rows; None allows all.
            texts: How many rows are scored by their text alone too.
            ties: What decides between rows of equal score, by row; less is better.
        """
        eligible = self._state.present.alive
        if allowed is not None:
            mask = _as_mask(allowed)
            eligible = eligible.copy()
            eligible[len(mask) :] = False
            eligible[: len(mask)] &= mask[: len(eligible)]
        scores, by_text = self._score()
        matching = np.flatnonzero((scores > 0) & eligible)
        best = _best(scores, matching, limit, ties)
        return Matches(best, len(matching), _best(by_text, matching[by_text[matching] > 0], texts, ties))

    def matching(self, among: Flags) -> Flags:
        """Return which of some rows match, bool by row.

        Args:
            among: The rows that count, bool by row; all of them are in the index.
        """
        flags = np.zeros(max(len(among), len(self._state.present.alive)), np.bool_)
        for term in self._weights:
            flags[self._state.posting(term).rows] = True
        return flags[: len(among)] & among

    def _score(self) -> tuple[Doubles, Doubles]:
        """Return the scores by row, and the part of them that the text has."""
        present = self._state.present
        other, by_text = np.zeros((2, len(present.alive)))
        for term, weight in self._weights.items():
            posting = self._state.posting(term)
            rows = posting.rows
            gains = np.full(len(rows), weight * self._rarity(term), np.float32)
            if term[0] in TEXTS:
                gains *= (1 + _K1) * posting.counts / (posting.counts + present.saturation[term[0]][rows])
            (by_text if term[0] == TEXT else other)[rows] += gains
        return other + by_text, by_text

    def _rarity(self, term: Term) -> float:
        """Return log(1 + (documents without it + 1/2) / (documents with it + 1/2)); that of a phrase is its words'."""
        name, words = term
        documents = self._state.present.documents
        counts = [self._count(name, word) for word in ([words] if isinstance(words, str) else words)]
        return sum(math.log1p((documents - count + 0.5) / (count + 0.5)) for count in counts)


def _best(scores: Doubles, rows: Ints, limit: int, ties: Ints | None) -> dict[int, float]:
    """Return the scores of the best rows, best first."""
    if limit <= 0:
        return {}
    if len(rows) > limit:
        least = np.partition(scores[rows], len(rows) - limit)[len(rows) - limit]
        rows = rows[scores[rows] >= least]
    order = np.lexsort((rows if ties is None else ties[rows], -scores[rows]))[:limit]
    return dict(zip(rows[order].tolist(), scores[rows[order]].tolist(), strict=True))


def _as_mask(allowed: Flags | list[int]) -> Flags:
    if not isinstance(allowed, list):
        return allowed
    mask = np.zeros(max(allowed, default=-1) + 1, np.bool_)
    mask[allowed] = True
    return mask
