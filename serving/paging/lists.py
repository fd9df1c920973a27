"""The list of a search that is not, or not only, ordered by relevance: sorted, browsed, or read to its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from foundation.arrays import Ints
from serving.index.corpus import Corpus
from serving.paging.cursor import Cursor
from serving.paging.listing import Keys, arrange, newest_first, read_page
from serving.paging.matched import Matched
from serving.paging.window import WINDOW, fill_window
from serving.ranking.memory import Recalled
from serving.ranking.pipeline import RankedHit, Ranker, Ranking
from serving.ranking.retrieval import FirstStage
from serving.ranking.stage_timer import StageTimer
from serving.rules.shaping import NO_SHAPING, Shaping

SORTED = 400
"""Documents that a sort looks at where no document has a word of the query: those nearest in meaning."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Which part of which list is wanted.

    Attributes:
        sort: What it is ordered by; empty for relevance, of everything for what people choose most, then the newest.
        least: Share of the words of the best document that one must hold to be in a sorted list.
        cursor: Where the page begins, None where `offset` says it.
    """

    offset: int
    limit: int
    sort: Keys = ()
    least: float = 0.0
    cursor: Cursor | None = None


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """A page of such a list.

    Attributes:
        ranking: Its hits, those of the page alone.
        matched: All that the list is of.
        total: How many documents that is.
        after: Where the next page begins; None at the end, or where no cursor was asked for.
    """

    ranking: Ranking
    matched: Matched
    total: int
    after: Cursor | None = None


def match(corpus: Corpus, first_stage: FirstStage, least: float = 0.0, candidates: Iterable[int] = ()) -> Matched:
    """Return what a search matches: by its words, or where no document has one, its candidates.

    Args:
        candidates: Rows that are near in meaning.
    """
    near = () if first_stage.matches else list(candidates)
    return Matched(corpus, first_stage.query.words, least, near, first_stage.shaping.expansions)


def read_list(ranker: Ranker, first_stage: FirstStage, wanted: ListRequest, timer: StageTimer) -> ListAnswer:
    """Return a page of a list."""
    corpus, browses = ranker.corpus, not first_stage.query.words
    relevant = _rank(ranker, first_stage, wanted, timer)
    least = wanted.least if wanted.sort else 0.0
    matched = match(corpus, first_stage, least, [hit.row for hit in relevant])
    mask = matched.among(first_stage.allowed)
    total = first_stage.matches if not (browses or least) else int(np.count_nonzero(mask))
    if not (browses or first_stage.matches):
        total = 0  # what meaning alone finds is not counted
    cursor, after = wanted.cursor, None
    if cursor is not None and (cursor.shown or cursor.place or cursor.after):
        page = read_page(corpus, cursor, wanted.limit, matched=mask, allowed=first_stage.allowed, keys=wanted.sort)
        rows, after = page.rows, page.after
    else:
        rows = _order(ranker, first_stage, wanted.sort, np.flatnonzero(mask), relevant)
        if cursor is not None:
            head = () if wanted.sort else tuple(corpus.columns.keys[rows[:WINDOW]].tolist())
            page = read_page(
                corpus,
                replace(cursor, head=head),
                wanted.limit,
                matched=mask,
                allowed=first_stage.allowed,
                keys=wanted.sort,
            )
            rows, after = page.rows, page.after
        else:
            rows = rows[wanted.offset : wanted.offset + wanted.limit]
    timer.end("list")
    known = {hit.row: hit for hit in relevant}
    hits = [known.get(row) or RankedHit(row, corpus.name(row), 0.0, {}) for row in rows.tolist()]
    return ListAnswer(Ranking(hits, []), matched, total, after)


def _rank(ranker: Ranker, first_stage: FirstStage, wanted: ListRequest, timer: StageTimer) -> list[RankedHit]:
    """Return the most relevant documents as far as the list needs them: to begin with, or as all that it is of."""
    if not first_stage.query.words:
        return []
    if not first_stage.matches:
        return ranker.rank(first_stage, SORTED, timer).hits
    begins = wanted.cursor is not None and not wanted.cursor.shown
    if wanted.sort or not begins:
        return []
    return fill_window(ranker.rank(first_stage, WINDOW, timer), ranker.corpus, first_stage).hits


def _order(ranker: Ranker, first_stage: FirstStage, sort: Keys, rows: Ints, relevant: list[RankedHit]) -> Ints:
    """Return what is listed in its order, of a list by relevance its beginning."""
    if sort:
        return arrange(ranker.corpus, rows, sort)
    if first_stage.query.words:
        return np.array([hit.row for hit in relevant], np.int64)
    return order_by_choice(ranker.corpus, rows, ranker.recall(first_stage.query), first_stage.shaping)


def order_by_choice(corpus: Corpus, rows: Ints, memory: Recalled, shaping: Shaping = NO_SHAPING) -> Ints:
    """Return rows by how often people chose them under any query, then the latest change first.

    Args:
        memory: What users chose.
        shaping: What the owner adds to the logarithm of that.
    """
    chosen = np.zeros(corpus.size)
    for name in set().union(*memory.choices):
        row = corpus.row(name)
        if row is not None and row < len(chosen):
            chosen[row] = memory.popular(name)
    newest = newest_first(corpus, rows)
    worth = np.log1p(chosen[newest])
    worth += shaping.lift(corpus, newest) if shaping.moves else 0.0
    return newest[np.argsort(-worth, kind="stable")]
