"""Scores the rows of one state of the index by BM25, all of them or those that a filter allows."""

from __future__ import annotations

import numpy as np
import tantivy

from foundation.arrays import Flags
from serving.index.lexical.clauses import Clauses
from serving.index.lexical.storage import ROW

# Time of a search over an allowed row, in units of one more hit taken and dropped.
_ROW_COST = 5
_MARGIN = 1.3
_DEEPER = 4


class Bm25Search:
    """A boolean query against one state of the index."""

    def __init__(self, searcher: tantivy.Searcher, schema: tantivy.Schema, clauses: Clauses) -> None:
        self._searcher = searcher
        self._schema = schema
        self._clauses = clauses.build(schema)

    def best(self, limit: int, *required: tuple[tantivy.Occur, tantivy.Query]) -> dict[int, float]:
        """Return the scores of the best rows, best first, of those that hold the required clauses too."""
        depth = min(limit, self._searcher.num_docs)
        if not self._clauses or depth <= 0:
            return {}
        query = tantivy.Query.boolean_query([*self._clauses, *required])
        hits = self._searcher.search(query, depth, count=False).hits
        rows = self._searcher.fast_field_values(ROW, [address for _, address in hits])
        return {int(row): score for row, (score, _) in zip(rows, hits, strict=True) if row is not None}

    def best_allowed(self, limit: int, allowed: Flags) -> dict[int, float]:
        """Return the scores of the best allowed rows, in whichever way takes less time.

        Few rows are named in the query. For many, hits are taken and dropped until enough are left.
        """
        count = int(np.count_nonzero(allowed))
        depth = int(_MARGIN * limit * self._searcher.num_docs / max(count, 1)) + 1
        while count * _ROW_COST > depth:
            hits = self.best(depth)
            kept = [row for row in hits if row < len(allowed) and allowed[row]]
            if len(kept) >= limit or len(hits) < depth:
                return {row: hits[row] for row in kept[:limit]}
            depth *= _DEEPER
        if not count:
            return {}
        named = tantivy.Query.term_set_query(self._schema, ROW, np.flatnonzero(allowed).tolist())
        hits = self.best(limit, (tantivy.Occur.Must, tantivy.Query.const_score_query(named, 0.0)))
        return {row: score for row, score in hits.items() if score > 0}  # one scored 0 holds no word of the query
