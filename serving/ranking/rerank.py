"""The best candidates ranked again by late interaction: token against token instead of text against text."""

from __future__ import annotations

import numpy as np

from foundation.arrays import Floats
from serving.index.corpus import Corpus

RERANKED = 100
"""Candidates ranked again."""

WEIGHT = 15.0
"""Log-odds that a mean token similarity of 1 is worth; chosen on training queries of five collections."""


def rerank(corpus: Corpus, tokens: Floats, rows: list[int], scores: Floats) -> Floats:
    """Return what late interaction adds to each score; all but the `RERANKED` best stay below those.

    Args:
        tokens: The query's tokens, float32 of shape (tokens, width).
        scores: Their scores so far, float32 of shape (len(rows),).
    """
    added = np.full(len(rows), -2 * WEIGHT, np.float32)
    best = np.argsort(-scores, kind="stable")[:RERANKED]
    added[best] = np.float32(WEIGHT) * corpus.tokens.scores(tokens, np.asarray(rows, np.int64)[best])
    return added
