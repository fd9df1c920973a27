"""What users of a query, and of queries like it, chose before."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field

import numpy as np

from foundation.arrays import Bits, Floats
from serving.index.fingerprint import WORDS, dice, fingerprint

Recalled = tuple[dict[str, float], dict[str, float]]
"""How strongly documents were chosen, by id: under queries alike in meaning, and alike in spelling."""

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
        self._trigrams: Bits = (
            np.stack([query.trigrams for query in past]) if past else np.zeros((0, WORDS), dtype=np.uint64)
        )

    def recall(self, key: str, vector: Floats, *without: Container[str]) -> Recalled:
        """Return what users of similar queries chose: by meaning, and by spelling.

        Each past query gives its choices with weight relu((s - 0.4) / 0.6)^3 of its similarity s;
        the sums are returned. The query's own key never counts: its own clicks act by `serving.ranking.click_boost`.

        Args:
            without: Further keys to leave out.
        """
        if not self.past:
            return {}, {}
        left_out = ((key,), *without)
        return (
            self._gather(self._vectors @ vector, left_out),
            self._gather(dice(fingerprint(key), self._trigrams), left_out),
        )

    def _gather(self, similarity: Floats, left_out: Collection[Container[str]]) -> dict[str, float]:
        near = [
            number
            for number in np.flatnonzero(similarity > _SIMILARITY_FLOOR).tolist()
            if not any(self.past[number].key in keys for keys in left_out)
        ]
        if len(near) > _NEAREST:
            near.sort(key=similarity.__getitem__, reverse=True)
            del near[_NEAREST:]
        chosen: dict[str, float] = {}
        for number in near:
            weight = ((float(similarity[number]) - _SIMILARITY_FLOOR) / (1 - _SIMILARITY_FLOOR)) ** 3
            for document, relevance in self.past[number].choices.items():
                chosen[document] = chosen.get(document, 0.0) + weight * relevance
        return chosen
