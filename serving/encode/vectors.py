"""What was embedded, kept on disk by the digest of its text, so that no text is embedded twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from foundation.arrays import Floats
from serving.encode.rows import RowStore, key_of

_CHECKPOINT = 256
"""Texts embedded between two writes: what a crash can lose."""


class VectorStore:
    """Vectors of one encoder, shared by threads and processes of one machine; see `RowStore`.

    Args:
        folder: Where the files are; one folder per encoder digest.
    """

    def __init__(self, folder: Path, dimension: int) -> None:
        self._rows = RowStore(folder, dimension, np.float32)
        self._dimension = dimension

    def embed(self, texts: Sequence[str], encode: Callable[[list[str]], Floats]) -> Floats:
        """Return a vector for each text, float32 of shape (len(texts), dimension).

        Texts seen before are read; the others go through `encode` once, 256 at a time, and are kept.
        """
        keys = [key_of(text) for text in texts]
        missing = self._rows.missing(keys)
        for start in range(0, len(missing), _CHECKPOINT):
            chosen = [texts[index] for index in missing[start : start + _CHECKPOINT]]
            self.keep(chosen, encode(chosen))
        return np.array(self._rows.get(keys), dtype=np.float32).reshape(len(keys), self._dimension)

    def keep(self, texts: Sequence[str], vectors: Floats) -> None:
        """Store the vectors of texts, float32 of shape (len(texts), dimension), that were embedded elsewhere."""
        self._rows.add([key_of(text) for text in texts], list(vectors[:, None, :]))
