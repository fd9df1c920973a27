"""Learns the bridge from the encoder that serves to a fine-tuned one; it is kept where it leads to the same answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foundation.arrays import Floats
from serving.encode.bridge import Bridge, learn_bridge
from serving.encode.query import Query
from serving.index.corpus import Corpus

MIN_AGREEMENT = 0.8
"""Share of the ten nearest passages that must be the same under carried and under true vectors."""

_DEPTH = 10
_QUERIES = 300


def bridge_spaces(source: str, old: Corpus, new: Corpus, queries: Sequence[Query]) -> tuple[Bridge | None, float]:
    """Return the bridge between two encoders over the same documents, None where it misleads, and how well it agrees.

    Args:
        source: Name of the old encoder.
        queries: As the new encoder reads them.
    """
    before, after = _pair_passages(old, new)
    if not len(before) or not queries:
        return None, 0.0
    bridge = learn_bridge(source, before, after)
    asked = np.stack([query.vector for query in queries[:_QUERIES]])
    agreement = _agree(asked @ bridge.cross(before).T, asked @ after.T)
    return (bridge if agreement >= MIN_AGREEMENT else None), agreement


def _pair_passages(old: Corpus, new: Corpus) -> tuple[Floats, Floats]:
    """Return the vectors of the passages that both corpora have embedded, in one order."""
    found = ((old.row(name), new.row(name)) for name in old.ids())
    pairs = [(row, other) for row, other in found if row is not None and other is not None]
    rows, others = np.array(pairs, np.int64).reshape(-1, 2).T
    same = (old.columns.counts[rows] == new.columns.counts[others]) & (old.columns.counts[rows] > 0)
    if not same.any():
        return np.zeros((0, old.dense.dimension), np.float32), np.zeros((0, new.dense.dimension), np.float32)
    return old.passage_vectors(rows[same])[0], new.passage_vectors(others[same])[0]


def _agree(carried: Floats, true: Floats) -> float:
    """Return the mean share of the nearest passages that are the same, by rows of similarities."""
    depth = min(_DEPTH, carried.shape[1])
    found, wanted = (np.argsort(-scores, axis=1, kind="stable")[:, :depth].tolist() for scores in (carried, true))
    return float(np.mean([len(set(one) & set(other)) / depth for one, other in zip(found, wanted, strict=True)]))
