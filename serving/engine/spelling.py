"""Other spellings of words that no document has, from the words that documents have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import tantivy
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

WORDS = "words"
"""The field of an index that has its words with their endings."""

_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST = 3
_GROWTH = 0.05


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The words of one first letter and how many documents have each."""

    words: list[str]
    counts: npt.NDArray[np.int64]


class Vocabulary:
    """The words of an index, to choose other spellings from. Safe to use from many threads.

    Words are read when their first letter is asked for, in milliseconds, and again after the index
    has grown or shrunk by a twentieth; a word that is newer is not offered until then.
    """

    def __init__(self) -> None:
        self._shelves: dict[str, _Shelf] = {}
        self._documents = 0

    def near(self, word: str, distance: int, searcher: tantivy.Searcher) -> list[str]:
        """Return known words of the same first letter within so many edits, nearest and most frequent first.

        An edit adds, drops or changes a letter, or swaps two neighbours.
        """
        shelf = self._shelf(word[0], searcher)
        if not shelf.words:
            return []
        edits = cdist([word], shelf.words, scorer=OSA.distance, score_cutoff=distance, score_hint=distance)[0]
        places = np.flatnonzero(edits <= distance)
        order = np.lexsort((-shelf.counts[places], edits[places]))
        return [shelf.words[place] for place in places[order].tolist()]

    def _shelf(self, letter: str, searcher: tantivy.Searcher) -> _Shelf:
        if abs(searcher.num_docs - self._documents) > _GROWTH * self._documents:
            self._shelves, self._documents = {}, searcher.num_docs
        shelves = self._shelves
        if letter not in shelves:
            found = [(word, count) for word, count in searcher.terms_with_prefix(WORDS, letter) if word.isalpha()]
            shelves[letter] = _Shelf([word for word, _ in found], np.array([count for _, count in found], np.int64))
        return shelves[letter]


def reach(word: str) -> int:
    """Return how many edits a typing error may be away: none under 5 letters, 2 from 8 letters."""
    return 0 if len(word) < 5 else 1 if len(word) < 8 else 2


class Spelling:
    """Corrects queries by what one state of an index holds.

    Args:
        schema: Of the index.
        searcher: Of that state.
        analyzer: Gives the words of a text as the index has them, with their endings.
        knows: Returns whether a search finds a word, in whatever ending.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        schema: tantivy.Schema,
        searcher: tantivy.Searcher,
        analyzer: tantivy.TextAnalyzer,
        knows: Callable[[str], bool],
    ) -> None:
        self._vocabulary = vocabulary
        self._schema = schema
        self._searcher = searcher
        self._analyzer = analyzer
        self._knows = knows

    def correct(self, query: str) -> str | None:
        """Return a query with each unknown word replaced by a known one, None when there is nothing to replace.

        A word is joined with its neighbour, or else exchanged for a word an edit away, divided in two
        or exchanged for a word two edits away; of several the most frequent.
        """
        words = list(_WORD.finditer(query))
        unknown = {word.start() for word in words if len(word[0]) >= _SHORTEST and not self._knows(word[0])}
        changes: dict[tuple[int, int], str] = {}
        for one, other in pairwise(words):
            apart = query[one.end() : other.start()]
            joined = self._read(one[0] + other[0])
            if unknown & {one.start(), other.start()} and apart in {" ", "-"} and self._count(joined):
                changes[one.start(), other.end()] = joined
                unknown -= {one.start(), other.start()}
        for word in words:
            better = self._replace(self._read(word[0])) if word.start() in unknown else None
            if better:
                changes[word.start(), word.end()] = better
        for (start, end), better in sorted(changes.items(), reverse=True):
            query = query[:start] + better + query[end:]
        return query if changes else None

    def _replace(self, word: str) -> str | None:
        if better := self._nearest(word, 1):
            return better
        if parts := max(self._divide(word), default=None):
            return parts[1]
        return self._nearest(word, 2) if len(word) >= 5 else None

    def _nearest(self, word: str, distance: int) -> str | None:
        return next(filter(self._count, self._vocabulary.near(word, distance, self._searcher)), None)

    def _divide(self, word: str) -> Iterator[tuple[int, str]]:
        for place in range(2, len(word) - 1):
            parts = word[:place], word[place:]
            count = min(map(self._count, parts))
            if count:
                yield count, " ".join(parts)

    def _read(self, word: str) -> str:
        return "".join(self._analyzer.analyze(word)) or word

    def _count(self, word: str) -> int:
        """Return how many documents have a word, 0 when all of them are deleted."""
        count = self._searcher.doc_freq(WORDS, word)
        if count:
            term = tantivy.Query.term_query(self._schema, WORDS, word, index_option="basic")
            count *= len(self._searcher.search(term, 1, count=False).hits)
        return count
