"""Which words of an index a misspelt word may have meant."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from foundation.language.folding import fold
from serving.index.lexical.words import is_word

Counts = list[tuple[str, int]]

# A query with more unknown words is in another language, or no language at all.
MAX_UNKNOWN = 8

_WORD = re.compile(r"[^\W_]+")
_SHORTEST = 3
_TWO_EDITS_FROM = 8
# A guess that is one edit further away must stand in this many times the documents.
_EDIT_ODDS = 50.0


@dataclass(frozen=True, slots=True)
class Guess:
    """A known word like an unknown one.

    Attributes:
        distance: Letters inserted, left out, replaced or swapped with their neighbour.
        documents: How many documents hold the word.
    """

    word: str
    distance: int
    documents: int

    @property
    def likelihood(self) -> float:
        """Log-odds, up to a constant, that the word was meant."""
        return math.log(self.documents) - (self.distance - 1) * math.log(_EDIT_ODDS)


class Speller:
    """Guesses by the vocabulary of an index. Safe to use from many threads.

    Args:
        vocabulary: Returns the words that begin with a letter, and how many documents hold each. The
            words of a letter are kept from its first use on.
        known: Returns in how many documents a word stands in any of its forms, as of now.
    """

    def __init__(self, vocabulary: Callable[[str], Counts], known: Callable[[str], int]) -> None:
        self._vocabulary = vocabulary
        self._known = known
        self._by_length = cache(self._read_letter)

    def guess(self, word: str, limit: int) -> list[Guess]:
        """Return known words within one edit, two from eight letters, that share the first letter; likeliest first."""
        edits = 2 if len(word) >= _TWO_EDITS_FROM else 1
        by_length = self._by_length(word[0])
        guesses: list[Guess] = []
        for length in range(len(word) - edits, len(word) + edits + 1):
            words = by_length.get(length, {})
            near = process.extract(word, words.keys(), scorer=OSA.distance, score_cutoff=edits, limit=None)
            guesses += [Guess(other, int(distance), words[other]) for other, distance, _ in near if distance]
        return sorted(guesses, key=lambda guess: (-guess.likelihood, guess.word))[:limit]

    def split(self, word: str) -> tuple[str, ...]:
        """Return the two known words that a word is most likely made of; empty when there are none."""
        cuts = range(_SHORTEST, len(word) - _SHORTEST + 1)
        odds = {cut: min(self._known(word[:cut]), self._known(word[cut:])) for cut in cuts}
        best = max(odds, key=odds.__getitem__, default=0)
        return (word[:best], word[best:]) if odds.get(best) else ()

    def correct(self, query: str) -> str | None:
        """Return the query with its unknown words replaced by the likeliest known ones.

        A word is replaced by one like it, joined with its neighbour, or split in two. Words with digits are
        left alone. None when no word is unknown, more than `MAX_UNKNOWN` are, or no guess is made.
        """
        matches = list(_WORD.finditer(query))
        words = [fold(match[0]) for match in matches]
        unknown = [_may_be_misspelt(word) and not self._known(word) for word in words]
        if not 0 < sum(unknown) <= MAX_UNKNOWN:
            return None
        pieces: list[str] = []
        end, number = 0, 0
        while number < len(matches):
            better, used = self._replace(words[number : number + 2], unknown[number : number + 2])
            pieces += [query[end : matches[number].start()], better or matches[number][0]]
            end = matches[number + used - 1].end()
            number += used
        corrected = "".join([*pieces, query[end:]])
        return corrected if corrected != query else None

    def _replace(self, words: list[str], unknown: list[bool]) -> tuple[str | None, int]:
        """Return what the first word should be, None for itself, and how many words that replaces."""
        joined = "".join(words)
        if len(words) == 2 and any(unknown) and self._known(joined):
            return joined, 2
        return (self._mend(words[0]) if unknown[0] else None), 1

    def _mend(self, word: str) -> str | None:
        guesses = self.guess(word, 1)
        if guesses and guesses[0].distance == 1:
            return guesses[0].word
        return " ".join(self.split(word)) or (guesses[0].word if guesses else None)

    def _read_letter(self, letter: str) -> dict[int, dict[str, int]]:
        """Return the words that begin with a letter, with their document counts, by their length."""
        by_length: dict[int, dict[str, int]] = {}
        for word, documents in self._vocabulary(letter):
            if _may_be_misspelt(word):
                by_length.setdefault(len(word), {})[word] = documents
        return by_length


def _may_be_misspelt(word: str) -> bool:
    return len(word) >= _SHORTEST and is_word(word)
