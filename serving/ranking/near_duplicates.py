"""Near-duplicate collapse: of documents that say the same, the best ranked stays."""

from __future__ import annotations

from serving.index.corpus import Corpus
from serving.index.fingerprint import dice

_SAME_MEANING = 0.985
_SAME_TITLE = 0.9
_EXTRA_RANKS = 10
"""Ranks below the last result that may move up."""


def collapse_near_duplicates(corpus: Corpus, ranked: list[int], k: int) -> list[int]:
    """Return the positions in `ranked` of the `k` best rows; near duplicates of better ones come behind all others.

    Documents are near duplicates when both the means of their passages (cosine 0.985) and the
    trigrams of their titles (Dice 0.9) agree. The first of a longer list are those of a shorter one.

    Args:
        ranked: Rows, best first.
    """
    looked_at = k + _EXTRA_RANKS
    while True:
        kept, dropped = _tell_apart(corpus, ranked[:looked_at])
        if len(kept) >= k or looked_at >= len(ranked):
            return [*kept, *dropped][:k]
        looked_at *= 2


def _tell_apart(corpus: Corpus, rows: list[int]) -> tuple[list[int], list[int]]:
    """Return the positions of rows, and apart from them those of near duplicates of better ones."""
    means = corpus.means(rows)
    alike = means @ means.T > _SAME_MEANING
    titles = corpus.columns.titles[rows]
    kept: list[int] = []
    dropped: list[int] = []
    for position in range(len(rows)):
        close = [other for other in kept if alike[position, other]]
        same = bool(close) and bool((dice(titles[position], titles[close]) >= _SAME_TITLE).any())
        (dropped if same else kept).append(position)
    return kept, dropped
