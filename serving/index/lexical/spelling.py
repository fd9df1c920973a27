"""Which words of an index a misspelt word may have meant."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from rapidfuzz import process
from rapidfuzz.distance import OSA

from foundation.language.folding import fold
from serving.index.lexical.slips import first_letter_forms, is_likely_slip, slip_log_odds
from serving.index.lexical.words import is_word

# A query with more unknown words is in another language, or no language at all.
MAX_UNKNOWN = 8

_WORD = re.compile(r"[^\W_]+")
_SHORTEST = 3
_TWO_EDITS_FROM = 8
_CHOICES = 6
_SURE_PART = 4
# What a pair of words that stand side by side somewhere says, by what a document with the word says.
_TOGETHER = 2.0


@dataclass(frozen=True, slots=True)
class Guess:
    """A known word like an unknown one.

    Attributes:
        distance: Letters inserted, left out, replaced or swapped with their neighbour.
        likelihood: Log-odds, up to a constant, that the word was meant.
    """

    word: str
    distance: int
    likelihood: float


class Speller:
    """Guesses by the vocabulary of an index. Safe to use from many threads.

    Args:
        vocabulary: Returns the words that begin with a letter. They are kept from its first use on, and `learn` adds
            what comes later.
        count: Returns in how many documents a word stands as it is, as of now.
        known: Returns in how many documents a word stands in any of its forms, as of now.
        together: Returns in how many documents two words stand side by side.
        inside: Returns whether a word ends a longer one, as the last part of a compound does.
    """

    def __init__(
        self,
        vocabulary: Callable[[str], Iterable[str]],
        count: Callable[[str], int],
        known: Callable[[str], int],
        together: Callable[[str, str], int] = lambda _one, _other: 0,
        inside: Callable[[str], bool] = lambda _word: False,
    ) -> None:
        self._vocabulary = vocabulary
        self._count = count
        self._known = known
        self._together = together
        self._inside = inside
        self._letters: dict[str, dict[int, frozenset[str]]] = {}

    def learn(self, words: Iterable[str]) -> None:
        """Take in words that came to the index. One thread learns."""
        new: dict[str, dict[int, set[str]]] = {}
        for word in words:
            if word[0] in self._letters and _may_be_misspelt(word):
                new.setdefault(word[0], {}).setdefault(len(word), set()).add(word)
        for letter, by_length in new.items():
            known = self._letters[letter]
            more = {length: known.get(length, frozenset()) | found for length, found in by_length.items()}
            self._letters[letter] = known | more

    def guess(self, word: str, limit: int, before: str = "", after: str = "") -> list[Guess]:
        """Return known words within one edit, two from eight letters that share the first; likeliest first.

        Args:
            before: The word that stands before it, "" for none; words that stand beside it elsewhere are likelier.
            after: The word that stands after it.
        """
        near = self._near(word)
        if not near:
            return []
        guesses = sorted(
            (Guess(other, OSA.distance(word, other), self._odds(word, other, count)) for other, count in near.items()),
            key=lambda guess: (-guess.likelihood, guess.word),
        )[: max(limit, _CHOICES)]
        if len(guesses) > 1 and (before or after):
            beside = [
                replace(one, likelihood=one.likelihood + self._beside(one.word, before, after)) for one in guesses
            ]
            guesses = sorted(beside, key=lambda guess: (-guess.likelihood, guess.word))
        return guesses[:limit]

    def _near(self, word: str) -> dict[str, int]:
        """Return the known words that a word may stand for, with their document counts."""
        edits = 2 if len(word) >= _TWO_EDITS_FROM else 1
        near: list[str] = []
        for length in range(max(len(word) - edits, _SHORTEST - 1), len(word) + edits + 1):
            words = self._words(word[0], length)
            found = process.extract(word, words, scorer=OSA.distance, score_cutoff=edits, limit=None)
            near += [other for other, distance, _ in found if distance]
        near += [
            other
            for other in first_letter_forms(word)
            if other[0] != word[0] and len(other) >= _SHORTEST and other in self._words(other[0], len(other))
        ]
        counts = {other: self._count(other) for other in sorted(near)}
        return {other: count for other, count in counts.items() if count}

    @staticmethod
    def _odds(word: str, other: str, documents: int) -> float:
        return math.log(documents) + slip_log_odds(word, other)

    def _beside(self, word: str, before: str, after: str) -> float:
        pairs = [(before, word)] * bool(before) + [(word, after)] * bool(after)
        return _TOGETHER * math.log1p(sum(self._together(*pair) for pair in pairs))

    def split(self, word: str) -> tuple[str, ...]:
        """Return the two known words that a word is most likely made of; empty when there are none."""
        cuts = range(_SHORTEST, len(word) - _SHORTEST + 1)
        odds = {cut: min(self._known(word[:cut]), self._known(word[cut:])) for cut in cuts}
        best = max(odds, key=odds.__getitem__, default=0)
        return (word[:best], word[best:]) if odds.get(best) else ()

    def correct(self, query: str, keep: Callable[[str], bool] = lambda _word: False) -> str | None:
        """Return the query with its unknown words replaced by the likeliest known ones.

        A word is replaced by one like it, joined with its neighbour, or split in two. Words with digits are
        left alone. None when no word is unknown, more than `MAX_UNKNOWN` are, or no guess is made.

        Args:
            keep: Returns whether an unknown word is right all the same, as a common word of the language is.
        """
        matches = list(_WORD.finditer(query))
        words = [fold(match[0]) for match in matches]
        unknown = [_may_be_misspelt(word) and not self._known(word) and not keep(word) for word in words]
        if not 0 < sum(unknown) <= MAX_UNKNOWN:
            return None
        pieces: list[str] = []
        end, number = 0, 0
        while number < len(matches):
            better, used = self._replace(words, unknown, number)
            pieces += [query[end : matches[number].start()], better or matches[number][0]]
            end = matches[number + used - 1].end()
            number += used
        corrected = "".join([*pieces, query[end:]])
        return corrected if corrected != query else None

    def _replace(self, words: list[str], unknown: list[bool], number: int) -> tuple[str | None, int]:
        """Return what a word should be, None for itself, and how many words that replaces."""
        joined = "".join(words[number : number + 2])
        if number + 1 < len(words) and any(unknown[number : number + 2]) and self._known(joined):
            return joined, 2
        if not unknown[number]:
            return None, 1
        before, *after = words[number - 1] if number else "", *words[number + 1 : number + 2]
        return self._mend(words[number], before, "".join(after)), 1

    def _mend(self, word: str, before: str, after: str) -> str | None:
        guesses = self.guess(word, 1, before, after)
        likely = bool(guesses) and is_likely_slip(word, guesses[0].word)
        if likely and guesses[0].distance == 1:
            return guesses[0].word
        if self._inside(word):
            return None
        parts = self.split(word)
        if parts and (min(map(len, parts)) >= _SURE_PART or self._together(*parts)):
            return " ".join(parts)
        return guesses[0].word if likely else None

    def _words(self, letter: str, length: int) -> frozenset[str]:
        """Return the words that begin with a letter and have so many; some may be in no document any more."""
        known = self._letters.get(letter)
        if known is None:
            by_length: dict[int, set[str]] = {}
            for word in filter(_may_be_misspelt, self._vocabulary(letter)):
                by_length.setdefault(len(word), set()).add(word)
            known = self._letters[letter] = {each: frozenset(words) for each, words in by_length.items()}
        return known.get(length, frozenset())


def _may_be_misspelt(word: str) -> bool:
    return len(word) >= _SHORTEST and is_word(word)
