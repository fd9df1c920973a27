"""Which keywords of a field hold which words."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

from serving.index.lexical.words import cut_words


class WordsOfValues:
    """The distinct keywords of one field by their words, read when they are first asked for. Safe for many threads."""

    def __init__(self) -> None:
        self._codes: dict[str, set[int]] = {}
        self._read = 0
        self._lock = threading.Lock()

    def codes(self, values: Sequence[str], words: Collection[str]) -> list[int]:
        """Return the places of the values that hold every one of some words, ascending; of no words, none.

        Args:
            values: All there are; they only grow.
            words: In their normal form.
        """
        with self._lock:
            for code in range(self._read, len(values)):
                for word in {*cut_words(values[code]).standing(), *cut_words(values[code]).forms()}:
                    self._codes.setdefault(word, set()).add(code)
            self._read = max(self._read, len(values))
            found = [self._codes.get(word, set()) for word in words]
            return sorted(set.intersection(*found)) if found else []
