"""What stands behind the ranked candidates of a search: all else that holds a word of the query."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from serving.index.corpus import Corpus
from serving.ranking.pipeline import RankedHit, Ranking
from serving.ranking.retrieval import FirstStage

WINDOW = 1000
"""Ranks in order of relevance; what matches beyond them stands in a fixed order."""


def fill_window(ranking: Ranking, corpus: Corpus, first_stage: FirstStage) -> Ranking:
    """Return a ranking of all its candidates, followed by what else matches by BM25, up to `WINDOW` ranks.

    The scores of these fall from that of the last candidate on; of their parts only BM25 is known.
    """
    if first_stage.matches <= len(first_stage.lexical):  # all of them are candidates
        return ranking
    words, synonyms = first_stage.query.words, first_stage.shaping.expansions
    found = corpus.lexical.find(
        words, WINDOW, first_stage.allowed, expansions=synonyms, ties=corpus.columns.keys
    ).scores
    known = {hit.row for hit in ranking.hits}
    rest = {row: float(np.log1p(score)) for row, score in found.items() if row not in known and _is_alive(corpus, row)}
    end = min((hit.score for hit in ranking.hits), default=0.0) - max(rest.values(), default=0.0)
    behind = [RankedHit(row, corpus.name(row), end + score, {"bm25": score}) for row, score in rest.items()]
    return replace(ranking, hits=[*ranking.hits, *behind][:WINDOW])


def _is_alive(corpus: Corpus, row: int) -> bool:
    return row < len(corpus.columns.alive) and bool(corpus.columns.alive[row])
