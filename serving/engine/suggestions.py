"""Completions of what a person begins to type, from what others asked before."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest

_WORD_START = re.compile(r"\b\w")
_PRIVATE = re.compile(r"\S+@\S+|\d[\d -]{4,}\d")
_LAST = chr(0x10FFFF)


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that enough people asked and were satisfied with.

    Attributes:
        text: Its normal form.
        weight: How strongly it is proposed, above 0.
    """

    text: str
    weight: float


class Suggestions:
    """Queries by the beginnings of their words. Immutable.

    Texts that look like an e-mail address, or hold a long number, are left out whoever asked them.
    """

    def __init__(self, asked: Iterable[Asked] = ()) -> None:
        self._asked = [one for one in asked if not is_private(one.text)]
        starts = [
            (one.text[match.start() :].casefold(), number)
            for number, one in enumerate(self._asked)
            for match in _WORD_START.finditer(one.text)
        ]
        starts.sort()
        self._tails = [tail for tail, _ in starts]
        self._numbers = [number for _, number in starts]

    def __len__(self) -> int:
        """Return how many queries can be proposed."""
        return len(self._asked)

    def complete(self, typed: str, limit: int) -> list[str]:
        """Return the best queries in which a word begins as typed, those that begin so themselves first."""
        prefix = " ".join(typed.casefold().split())
        if not prefix:
            return []
        found = set(self._numbers[bisect_left(self._tails, prefix) : bisect_left(self._tails, prefix + _LAST)])
        return [
            self._asked[number].text for number in nlargest(limit, found, key=lambda number: self._rank(number, prefix))
        ]

    def _rank(self, number: int, prefix: str) -> tuple[bool, float, str]:
        one = self._asked[number]
        return one.text.casefold().startswith(prefix), one.weight, one.text


def is_private(text: str) -> bool:
    """Return whether a text holds what looks like an e-mail address, a card, phone or account number."""
    return _PRIVATE.search(text) is not None
