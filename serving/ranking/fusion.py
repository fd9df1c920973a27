"""One score from many: convex combination, reciprocal rank fusion, or learned linear weights.

All three return scores on the same scale, like log-odds, so that the click boost can be added to any of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from foundation.arrays import Floats
from serving.ranking.features import COLUMN, FEATURES

CONVEX_SCALE = 10.0
"""Turns a convex score in [0, 1] into log-odds."""

RRF_K = 60
_RRF_SCALE = 300.0
_MEMORY_WEIGHT = 3.0


def fuse(
    values: Floats,
    method: Literal["convex", "rrf", "linear"],
    weights: Mapping[str, float],
    names: Sequence[str] = FEATURES,
) -> Floats:
    """Return one score per candidate, float32 of shape (n,).

    Args:
        values: Features, float32 of shape (n, len(names)).
        method: "convex" weighs the shares of BM25 and dense equally (Bruch et al. 2022,
            arXiv:2210.11934); "rrf" sums 1 / (60 + rank); "linear" uses `weights` by feature name.
        names: Of the columns: `FEATURES`, then those of fields.
    """
    learned = fuse_learned(values, method, weights, names)
    if method == "linear":
        return learned
    if method == "convex":
        share = 0.5 * values[:, COLUMN["bm25_share"]] + 0.5 * values[:, COLUMN["dense_share"]]
        return np.float32(CONVEX_SCALE) * share + learned
    return _rrf(values) + learned


def fuse_learned(
    values: Floats,
    method: Literal["convex", "rrf", "linear"],
    weights: Mapping[str, float],
    names: Sequence[str] = FEATURES,
) -> Floats:
    """Return the share of `fuse` that rests on what people chose: all of learned weights, else memory alone."""
    if method == "linear":
        return values @ np.array([weights.get(name, 0.0) for name in names], dtype=np.float32)
    remembered = values[:, COLUMN["memory"]] + values[:, COLUMN["memory_words"]]
    weighed: Floats = np.float32(_MEMORY_WEIGHT) * remembered
    return weighed


def _rrf(values: Floats) -> Floats:
    total = np.zeros(len(values), dtype=np.float32)
    for name in ("bm25", "dense"):
        column = values[:, COLUMN[name]]
        ranks = np.empty(len(column), dtype=np.float32)
        ranks[np.argsort(-column, kind="stable")] = np.arange(1, len(column) + 1)
        total += np.where(column > 0, 1 / (RRF_K + ranks), 0).astype(np.float32)
    return np.float32(_RRF_SCALE) * total
