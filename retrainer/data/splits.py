"""Splits that do not leak: near-identical queries stay together."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, vstack
from scipy.sparse.csgraph import connected_components

from foundation.arrays import Floats, Ints
from foundation.ids import digest_bytes

_SAME_MEANING = 0.9
_BLOCK = 1024


def cluster_queries(vectors: Floats) -> Ints:
    """Return a cluster number per query: queries with a cosine over 0.9 share one, transitively.

    Args:
        vectors: Unit vectors, float32 of shape (n, dimension).
    """
    blocks = [vectors[start : start + _BLOCK] for start in range(0, max(1, len(vectors)), _BLOCK)]
    near = [csr_array((block @ vectors.T > _SAME_MEANING).astype(np.int8)) for block in blocks]
    _, clusters = connected_components(vstack(near), directed=False)
    return clusters.astype(np.int64)


def assign_folds(keys: list[str], clusters: Ints, folds: int, salt: str) -> Ints:
    """Return a fold in [0, folds) per query, the same for a whole cluster and stable over time.

    A cluster's fold is drawn from the smallest key in it, so that growth moves few queries.
    """
    name: dict[int, str] = {}
    for key, cluster in zip(keys, clusters.tolist(), strict=True):
        name[cluster] = min(key, name.get(cluster, key))
    drawn = {cluster: int(digest_bytes(f"{salt}|{key}".encode())[:8], 16) % folds for cluster, key in name.items()}
    return np.array([drawn[cluster] for cluster in clusters.tolist()])
