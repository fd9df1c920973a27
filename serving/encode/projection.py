"""Token vectors made small: projected, pooled, and quantised to four bits.

A passage keeps at most 32 vectors of 64 dimensions, 32 bytes each; 100,000 articles of 150 words take
about 360 MB. On training queries of four collections that costs a fifth of what late interaction
gains with whole vectors (Santhanam et al. 2022, arXiv:2112.01488, compress likewise).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage

from foundation.arrays import Floats
from foundation.disk.files import whole_file

Codes = npt.NDArray[np.uint8]

WIDTH = 64
CODE_BYTES = WIDTH // 2
MIN_PASSAGES = 256
"""Passages that a projection is learned from, at least."""

_POOLED = 32
_LEVELS = 7
_ZERO = 8


@dataclass(frozen=True, slots=True)
class Projection:
    """The directions in which token vectors of one encoder differ most.

    Attributes:
        mean: Mean of unit token vectors, float32 of shape (dimension,).
        basis: Float32 of shape (dimension, 64); narrower encoders are padded with zeros.
    """

    mean: Floats
    basis: Floats

    @classmethod
    def learn(cls, passages: list[Floats]) -> Projection:
        """Return the principal directions of the token vectors of passages, each of shape (tokens, dimension)."""
        vectors = np.concatenate(passages)
        mean = vectors.mean(axis=0)
        centred = vectors - mean
        _, directions = np.linalg.eigh(centred.T @ centred)
        basis = np.zeros((vectors.shape[1], WIDTH), np.float32)
        kept = min(WIDTH, vectors.shape[1])
        basis[:, :kept] = directions[:, ::-1][:, :kept]
        return cls(mean.astype(np.float32), basis)

    @classmethod
    def load(cls, path: Path) -> Projection:
        """Return the projection that `save` wrote."""
        stored = np.load(path)
        return cls(stored["mean"], stored["basis"])

    def save(self, path: Path) -> None:
        """Write the projection, unless another process has written one: what `load` returns is the same for all."""
        with whole_file(path, durable=True, first=True) as draft, draft.open("wb") as out:
            np.savez(out, mean=self.mean, basis=self.basis)

    def project(self, tokens: Floats) -> Floats:
        """Return unit vectors of shape (tokens, 64) for token vectors of shape (tokens, dimension)."""
        return _unit((tokens - self.mean) @ self.basis)

    def compress(self, tokens: Floats) -> Codes:
        """Return the codes of a passage, uint8 of shape (at most 32, 32), for its token vectors."""
        return encode(pool(self.project(tokens)))


def pool(vectors: Floats) -> Floats:
    """Return at most 32 unit vectors: the means of clusters (Ward; Clavié et al. 2024, arXiv:2409.14683)."""
    if len(vectors) <= _POOLED:
        return vectors
    clusters = fcluster(linkage(vectors, "ward"), _POOLED, "maxclust") - 1
    sums = np.zeros((int(clusters.max()) + 1, vectors.shape[1]), np.float32)
    np.add.at(sums, clusters, vectors)
    return _unit(sums)


def encode(vectors: Floats) -> Codes:
    """Return vectors of shape (n, 64) in four bits a number, uint8 of shape (n, 32); their lengths are lost."""
    largest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
    levels = (np.rint(vectors / largest * _LEVELS) + _ZERO).astype(np.uint8)
    codes: Codes = levels[:, 0::2] << 4 | levels[:, 1::2]
    return codes


def decode(codes: Codes) -> tuple[Floats, Floats]:
    """Return the vectors of codes of shape (n, 32), float32 of shape (n, 64), and their lengths, of shape (n,).

    Their numbers are in the order of `arrange`, in which they are unpacked fastest.
    """
    vectors = np.empty((len(codes), WIDTH), np.float32)
    vectors[:, :CODE_BYTES] = codes >> 4
    vectors[:, CODE_BYTES:] = codes & 15
    vectors -= _ZERO
    return vectors, np.maximum(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)), 1e-9)


def arrange(vectors: Floats) -> Floats:
    """Return vectors of shape (n, 64) with their numbers in the order of `decode`: those with even indices first."""
    return np.concatenate([vectors[:, 0::2], vectors[:, 1::2]], axis=1)


def _unit(vectors: npt.NDArray[np.floating[Any]]) -> Floats:
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    unit: Floats = (vectors / np.maximum(lengths, 1e-9)[:, None]).astype(np.float32)
    return unit
