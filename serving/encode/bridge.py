"""A linear map from the vectors of one encoder to those of another, learned on the documents' own pairs of vectors.

It lets an encoder serve before the last document is embedded by it: v' = unit(v M). M is the best rotation
(Schönemann 1966, Psychometrika 31) and a ridge regression of what the rotation leaves.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Floats
from foundation.errors import ArtifactDamaged
from serving.encode.embedder import StoredEmbedder
from serving.encode.projection import Codes

_RIDGE = 0.05
"""Pull towards the rotation, as a share of the pairs."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """The map.

    Attributes:
        source: Name of the encoder whose vectors it takes.
        matrix: M, float32 of shape (dimension of the source, dimension of the other).
    """

    source: str
    matrix: Floats

    def cross(self, vectors: Floats) -> Floats:
        """Return unit vectors of the other encoder's space, float32 of shape (n, dimension)."""
        moved = vectors @ self.matrix
        unit: Floats = (moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)).astype(np.float32)
        return unit

    def to_bytes(self) -> bytes:
        """Return the bridge as an artifact."""
        out = io.BytesIO()
        np.savez(out, allow_pickle=False, source=np.array(self.source), matrix=self.matrix.astype(np.float16))
        return out.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Bridge:
        """Return the bridge of an artifact; ArtifactDamaged when it is none."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                return cls(str(stored["source"]), stored["matrix"].astype(np.float32))
        except (KeyError, ValueError, OSError) as problem:
            raise ArtifactDamaged(f"the artifact holds no bridge: {problem}") from problem


def learn_bridge(source: str, old: Floats, new: Floats) -> Bridge:
    """Return the bridge under which vectors of `old` come nearest to those of `new`.

    Args:
        source: Name of the old encoder.
        old: Unit vectors of texts, float32 of shape (n, dimension).
        new: Unit vectors of the same texts by the new encoder, float32 of shape (n, dimension of the new one).
    """
    left, _, right = np.linalg.svd(old.T @ new, full_matrices=False)
    rotation = left @ right
    gram = old.T @ old + _RIDGE * len(old) * np.eye(old.shape[1], dtype=np.float32) / old.shape[1]
    rest = np.linalg.solve(gram, old.T @ (new - old @ rotation))
    return Bridge(source, (rotation + rest).astype(np.float32))


class BridgedEmbedder:
    """Vectors of one encoder: its own where it has made them, else those of another one, carried over.

    Args:
        old: The encoder that the bridge leads from.
        new: The encoder that it leads to.
    """

    def __init__(self, bridge: Bridge, old: StoredEmbedder, new: StoredEmbedder) -> None:
        self._bridge = bridge
        self._old = old
        self._new = new

    def embed(self, texts: list[str]) -> Floats:
        """Return unit vectors, float32 of shape (len(texts), dimension of the new encoder)."""
        vectors: Floats = np.empty((len(texts), self._new.encoder.dimension), np.float32)
        missing = self._new.vectors.missing(texts)
        known = [place for place, text in enumerate(texts) if text not in missing]
        waiting = [place for place, text in enumerate(texts) if text in missing]
        if known:
            vectors[known] = self._new.embed([texts[place] for place in known])
        if waiting:
            vectors[waiting] = self._bridge.cross(self._old.embed([texts[place] for place in waiting]))
        return vectors

    def embed_tokens(self, texts: list[str]) -> list[Codes] | None:
        """Return None: tokens are not carried over."""
        del texts
        return None
