"""Near duplicates collapse: of documents that say the same, the best ranked is shown."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.index.corpus import Corpus
from serving.index.fingerprint import dice

Floats = npt.NDArray[np.float32]

_SAME_MEANING = 0.985
_SAME_TITLE = 0.9
_SPARE = 10
"""Ranks below the last shown that may move up."""


def collapse_near_duplicates(corpus: Corpus, ranked: list[int], k: int) -> list[int]:
    """Return the places of the `k` best rows without near duplicates of better ones.

    Documents are near duplicates when both the means of their passages (cosine 0.985) and the
    trigrams of their titles (Dice 0.9) agree. Nothing is left out that would leave fewer than `k`.

    Args:
        ranked: Rows, best first.
        k: How many are wanted.
    """
    rows = ranked[: k + _SPARE]
    means = corpus.means(rows)
    alike = means @ means.T > _SAME_MEANING
    titles = corpus.columns.titles[rows]
    kept: list[int] = []
    dropped: list[int] = []
    for place in range(len(rows)):
        close = [other for other in kept if alike[place, other]]
        same = bool(close) and bool((dice(titles[place], titles[close]) >= _SAME_TITLE).any())
        (dropped if same else kept).append(place)
    return (kept + dropped if len(kept) < k else kept)[:k]
