"""Splits that do not leak: near-identical queries stay together, and a query stays where it first was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.sparse import csr_array, vstack
from scipy.sparse.csgraph import connected_components

from foundation.arrays import Flags, Floats, Ints
from foundation.ids import digest_bytes

_SAME_MEANING = 0.9
_BLOCK = 1024

Near = csr_array


def cluster_queries(vectors: Floats) -> Ints:
    """Return a cluster number per query: queries with a cosine over 0.9 share one, transitively.

    Args:
        vectors: Unit vectors, float32 of shape (n, dimension).
    """
    _, clusters = connected_components(_near(vectors, vectors), directed=False)
    return clusters.astype(np.int64)


def join_clusters(names: Sequence[str], vectors: Floats, known: Mapping[str, str]) -> dict[str, str]:
    """Return the cluster of each query, which never changes: one that is known keeps its own.

    A new query joins the cluster of the nearest query with a cosine over 0.9, directly or over other new ones. Those
    near no known query found clusters among themselves, each named as its smallest query is.

    Args:
        names: The queries, each once.
        vectors: Their unit vectors, float32 of shape (n, dimension).
        known: Clusters of queries seen before, among `names` or not.
    """
    joined = {name: known[name] for name in names if name in known}
    waiting = [place for place, name in enumerate(names) if name not in joined]
    settled = [place for place, name in enumerate(names) if name in joined]
    while waiting and settled:
        nearest, cosine = _find_nearest(vectors[waiting], vectors[settled])
        found = {
            place: joined[names[settled[near]]]
            for place, near, how_near in zip(waiting, nearest.tolist(), cosine.tolist(), strict=True)
            if how_near > _SAME_MEANING
        }
        joined |= {names[place]: cluster for place, cluster in found.items()}
        settled, waiting = list(found), [place for place in waiting if place not in found]
    founded: dict[int, str] = {}
    for place, cluster in sorted(
        zip(waiting, cluster_queries(vectors[waiting]).tolist(), strict=True), key=lambda pair: names[pair[0]]
    ):
        joined[names[place]] = founded.setdefault(cluster, names[place])
    return joined


def draw_folds(clusters: Iterable[str], folds: int, salt: str) -> Ints:
    """Return a fold in [0, folds) by cluster name, the same for all queries of a cluster and for all time."""
    return np.array([int(digest_bytes(f"{salt}|{name}".encode())[:8], 16) % folds for name in clusters], dtype=np.int64)


def is_near_any(vectors: Floats, others: Floats) -> Flags:
    """Return which queries have a cosine over 0.9 with any of the others, shape (n,)."""
    if not len(vectors) or not len(others):
        return np.zeros(len(vectors), dtype=np.bool_)
    return _find_nearest(vectors, others)[1] > _SAME_MEANING


def assign_folds(keys: list[str], clusters: Ints, folds: int, salt: str) -> Ints:
    """Return a fold in [0, folds) per query for one training, the same for a whole cluster."""
    name: dict[int, str] = {}
    for key, cluster in zip(keys, clusters.tolist(), strict=True):
        name[cluster] = min(key, name.get(cluster, key))
    return draw_folds((name[cluster] for cluster in clusters.tolist()), folds, salt)


def _near(vectors: Floats, others: Floats) -> Near:
    return vstack([csr_array((block @ others.T > _SAME_MEANING).astype(np.int8)) for block in _blocks(vectors)])


def _find_nearest(vectors: Floats, others: Floats) -> tuple[Ints, Floats]:
    """Return the place of the nearest of the others for each query, and its cosine."""
    nearest, cosine = [], []
    for block in _blocks(vectors):
        products = block @ others.T
        nearest.append(products.argmax(axis=1))
        cosine.append(products.max(axis=1))
    return np.concatenate(nearest).astype(np.int64), np.concatenate(cosine)


def _blocks(vectors: Floats) -> list[Floats]:
    return [vectors[start : start + _BLOCK] for start in range(0, max(1, len(vectors)), _BLOCK)]
