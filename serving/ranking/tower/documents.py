"""Documents that a static tower has embedded, as its version carries them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foundation.arrays import Floats, Ints

Codes8 = npt.NDArray[np.int8]
_DEVIATIONS = 6.0


@dataclass(frozen=True, slots=True)
class TowerDocuments:
    """Documents that a tower embedded, so that a process that loads it need not.

    Attributes:
        changes: Change number of each, shape (n,); a document with another one has changed since.
        codes: Their unit vectors in eight bits, shape (n, dimension).
    """

    ids: tuple[str, ...]
    changes: Ints
    codes: Codes8

    @classmethod
    def of(cls, ids: Sequence[str], changes: Ints, vectors: Floats) -> TowerDocuments:
        """Return documents with their unit vectors, float32 of shape (n, dimension)."""
        codes = np.clip(np.rint(vectors * _scale(vectors.shape[1])), -127, 127).astype(np.int8)
        return cls(tuple(ids), changes, codes)

    def vectors(self, places: Ints) -> Floats:
        """Return the vectors of some of them."""
        vectors: Floats = self.codes[places].astype(np.float32) / np.float32(_scale(self.codes.shape[1]))
        return vectors


def _scale(dimension: int) -> float:
    """Return by what unit vectors are multiplied so that their numbers, all but a few, fit into eight bits."""
    return float(127 * np.sqrt(dimension) / _DEVIATIONS)
