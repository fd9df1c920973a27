"""Completions of what a person begins to type, from what others asked before and from what there is."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from foundation.contracts import query_key

_WORD_START = re.compile(r"\b\w")
_PRIVATE = re.compile(r"\S+@\S+|\d[\d -]{4,}\d")
_LAST = chr(0x10FFFF)
_WORDS_ALIKE = 4
"""How many words of one query begin alike, as a rule; where more do, all entries are searched."""


@dataclass(frozen=True, slots=True)
class SuggestedQuery:
    """A query that may be proposed.

    Attributes:
        text: As it is proposed.
        weight: How strongly it is proposed, above 0.
    """

    text: str
    weight: float


class Suggestions:
    """Queries by the beginnings of their words. Immutable.

    Texts that look like an e-mail address, or hold a long number, are left out.
    """

    def __init__(self, asked: Iterable[SuggestedQuery] = ()) -> None:
        best_first = sorted((one for one in asked if not is_private(one.text)), key=lambda one: (-one.weight, one.text))
        self._texts = [one.text for one in best_first]  # the smaller a text's number, the better it is
        keys = [query_key(text) for text in self._texts]
        self._beginnings = _Index((key, number) for number, key in enumerate(keys))
        self._words = _Index(
            (key[match.start() :], number) for number, key in enumerate(keys) for match in _WORD_START.finditer(key)
        )

    def __len__(self) -> int:
        """Return how many queries can be proposed."""
        return len(self._texts)

    def complete(self, typed: str, limit: int) -> list[str]:
        """Return the best queries in which a word begins as typed, those that begin so themselves first."""
        prefix = query_key(typed)
        if not prefix:
            return []
        found = dict.fromkeys(self._beginnings.best(prefix, limit))
        found |= dict.fromkeys(self._words.best(prefix, limit + len(found)))
        return [self._texts[number] for number in list(found)[:limit]]


class _Index:
    """Numbers by keys, for those whose key has a prefix."""

    def __init__(self, entries: Iterable[tuple[str, int]]) -> None:
        ordered = sorted(entries)
        self._keys = [key for key, _ in ordered]
        self._numbers = np.array([number for _, number in ordered], np.int64)

    def best(self, prefix: str, limit: int) -> list[int]:
        """Return the `limit` smallest numbers with a key of the prefix, ascending, each once."""
        found = self._numbers[bisect_left(self._keys, prefix) : bisect_left(self._keys, prefix + _LAST)]
        enough = limit * _WORDS_ALIKE
        if len(found) > enough:
            few = np.unique(np.partition(found, enough)[:enough])
            found = few if len(few) >= limit else found
        smallest: list[int] = np.unique(found)[:limit].tolist()
        return smallest


def is_private(text: str) -> bool:
    """Return whether a text holds what looks like an e-mail address, a card, phone or account number."""
    return _PRIVATE.search(text) is not None
