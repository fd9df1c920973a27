"""All that a search matches, which it counts, sorts and pages: not only its best candidates."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from foundation.arrays import Flags
from serving.index.corpus import Corpus
from serving.index.lexical.synonyms import Expansions


@dataclass(slots=True)
class Matched:
    """What a search matches, whatever filter is laid over it.

    Attributes:
        words: What is searched for by words, "" for every document.
        least: Share of the words of the best document that one must hold to count, 0 for any word.
        candidates: Rows that count where no document that may be listed has a word.
        expansions: Synonyms that the words are searched for with.
    """

    corpus: Corpus
    words: str
    least: float = 0.0
    candidates: Collection[int] = ()
    expansions: Expansions | None = None
    _present: Flags = field(init=False)
    _held: Flags | None = None

    def __post_init__(self) -> None:
        self._present = self.corpus.present()

    def among(self, allowed: Flags | None) -> Flags:
        """Return which of some rows match, bool by row.

        Args:
            allowed: The rows that may, None for all documents.
        """
        rows = self._present if allowed is None else allowed[: len(self._present)]
        if not self.words:
            return rows
        if self._held is None:
            self._held = self.corpus.lexical.matching(self.words, self._present, self.expansions)
        held = self._held[: len(rows)] & rows
        if not held.any():
            return rows & _as_flags(self.candidates, len(rows))
        if not self.least:
            return held
        return self.corpus.lexical.relevant(self.words, self.least, rows, self.expansions)


def _as_flags(rows: Collection[int], length: int) -> Flags:
    flags = np.zeros(length, np.bool_)
    numbers = np.fromiter(rows, np.int64, len(rows))
    flags[numbers[numbers < length]] = True
    return flags
