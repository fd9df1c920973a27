"""Scores the rows of one state of the index by BM25, all of them or those that a filter allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tantivy

from foundation.arrays import Flags
from serving.index.lexical.clauses import Clauses
from serving.index.lexical.postings import Postings
from serving.index.lexical.storage import ROW

# Time of a search over an allowed row, in units of one more hit taken and dropped.
_ROW_COST = 5
_MARGIN = 1.3
_DEEPER = 4


@dataclass(frozen=True, slots=True)
class Matches:
    """What an index finds.

    Attributes:
        scores: BM25 by row of the best rows, best first.
        total: How many rows match, also beyond these.
    """

    scores: dict[int, float]
    total: int


class Bm25Search:
    """A boolean query against one state of the index."""

    def __init__(
        self, searcher: tantivy.Searcher, schema: tantivy.Schema, clauses: Clauses, postings: Postings
    ) -> None:
        self._searcher = searcher
        self._schema = schema
        self._parts = clauses.parts(schema)
        self._clauses = clauses.weigh(self._parts)
        self._postings = postings

    def best(self, limit: int, *required: tuple[tantivy.Occur, tantivy.Query]) -> Matches:
        """Return the best rows, of those that hold the required clauses too."""
        depth = min(limit, self._searcher.num_docs)
        if not self._clauses or depth <= 0:
            return Matches({}, 0)
        query = tantivy.Query.boolean_query([*self._clauses, *required])
        found = self._searcher.search(query, depth, count=True)  # counting on the way takes no longer
        rows = self._searcher.fast_field_values(ROW, [address for _, address in found.hits])
        scores = {int(row): score for row, (score, _) in zip(rows, found.hits, strict=True) if row is not None}
        return Matches(scores, _count(found))

    def best_allowed(self, limit: int, allowed: Flags) -> Matches:
        """Return the best allowed rows, and how many allowed rows match."""
        scores = self._score_allowed(limit, allowed)
        if len(scores) < limit:
            return Matches(scores, len(scores))
        return Matches(scores, int(np.count_nonzero(self.matching(allowed))))

    def matching(self, among: Flags) -> Flags:
        """Return which of some rows match, bool by row.

        Takes a microsecond for each row that does where the index has to be asked; see `Postings`.

        Args:
            among: The rows that count, bool by row; all of them are in the index.
        """
        if not self._parts or not self._searcher.num_docs:
            return np.zeros(len(among), np.bool_)
        return self._postings.holding(self._searcher, self._parts, among)

    def _score_allowed(self, limit: int, allowed: Flags) -> dict[int, float]:
        """Return the scores of the best allowed rows, in whichever way takes less time.

        Few rows are named in the query. For many, hits are taken and dropped until enough are left.
        """
        count = int(np.count_nonzero(allowed))
        depth = int(_MARGIN * limit * self._searcher.num_docs / max(count, 1)) + 1
        while count * _ROW_COST > depth:
            hits = self.best(depth).scores
            kept = [row for row in hits if row < len(allowed) and allowed[row]]
            if len(kept) >= limit or len(hits) < depth:
                return {row: hits[row] for row in kept[:limit]}
            depth *= _DEEPER
        if not count:
            return {}
        named = tantivy.Query.term_set_query(self._schema, ROW, np.flatnonzero(allowed).tolist())
        hits = self.best(limit, (tantivy.Occur.Must, tantivy.Query.const_score_query(named, 0.0))).scores
        return {row: score for row, score in hits.items() if score > 0}  # one scored 0 holds no word of the query


def _count(found: Any) -> int:
    """Return how many documents a search counted; the stubs of its result lack it."""
    count: int = found.count
    return count
