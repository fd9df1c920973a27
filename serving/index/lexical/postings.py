"""Which rows hold a term, kept in memory: what holds any of some terms is then found without asking the index."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import tantivy

from foundation.arrays import Flags, Ints
from serving.index.lexical.clauses import Term
from serving.index.lexical.storage import ROW

MAX_BYTES = 64_000_000
"""Memory of all terms of one index; what was not asked for longest is forgotten."""

_FREQUENT = 500
"""Documents from which on a term is kept; the rows of a rarer one are read anew in less than a millisecond."""


class Postings:
    """The rows of frequent terms. Safe to use from many threads.

    A row never changes and never comes back: what is known of a term stays true, and only later rows are read. Rows
    that were removed may be marked; whoever asks knows which are present.
    """

    def __init__(self, schema: tantivy.Schema) -> None:
        self._schema = schema
        self._kept: OrderedDict[Term, Flags] = OrderedDict()
        self._lock = threading.Lock()

    def holding(self, searcher: tantivy.Searcher, terms: Mapping[Term, tantivy.Query], among: Flags) -> Flags:
        """Return which of some rows hold any of some terms, bool by row.

        Args:
            terms: Their queries by what they are of.
            among: The rows that count, bool by row; all of them are in the index.
        """
        flags = np.zeros(len(among), np.bool_)
        rare: list[tuple[tantivy.Occur, tantivy.Query]] = []
        for term, query in terms.items():
            words = term[1]
            if isinstance(words, str) and searcher.doc_freq(term[0], words) >= _FREQUENT:
                flags |= self._frequent(searcher, term, query, len(among))
            else:
                rare.append((tantivy.Occur.Should, query))
        if rare:
            _mark(flags, _rows(searcher, tantivy.Query.boolean_query(rare)))
        return flags & among

    def _frequent(self, searcher: tantivy.Searcher, term: Term, query: tantivy.Query, rows: int) -> Flags:
        with self._lock:
            known = self._kept.get(term)
        if known is None or len(known) < rows:
            known = self._read(searcher, query, rows, np.zeros(0, np.bool_) if known is None else known)
            self._keep(term, known)
        else:
            with self._lock:
                self._kept[term] = known
                self._kept.move_to_end(term)
        return known[:rows]

    def _read(self, searcher: tantivy.Searcher, query: tantivy.Query, rows: int, known: Flags) -> Flags:
        """Return which of the rows below `rows` a query finds, given those that are known.

        Read are the rows that it finds or those that it does not, whichever are fewer.
        """
        start = len(known)
        flags = np.zeros(rows, np.bool_)
        flags[:start] = known
        parts = [(tantivy.Occur.Must, query)]
        if start:
            since = tantivy.Query.range_query(self._schema, ROW, tantivy.FieldType.Integer, start, rows, True, False)
            parts.append((tantivy.Occur.Must, since))
        elif 2 * _count(searcher, query) > searcher.num_docs:
            every = (tantivy.Occur.Must, tantivy.Query.all_query())
            without = tantivy.Query.boolean_query([every, (tantivy.Occur.MustNot, query)])
            flags[:] = True
            _mark(flags, _rows(searcher, without), holds=False)
            return flags
        _mark(flags, _rows(searcher, tantivy.Query.boolean_query(parts)))
        return flags

    def _keep(self, term: Term, flags: Flags) -> None:
        with self._lock:
            known = self._kept.get(term)
            if known is None or len(known) < len(flags):
                self._kept[term] = flags
            self._kept.move_to_end(term)
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > MAX_BYTES:
                self._kept.popitem(last=False)


def _mark(flags: Flags, rows: Ints, *, holds: bool = True) -> None:
    flags[rows[rows < len(flags)]] = holds


def _rows(searcher: tantivy.Searcher, query: tantivy.Query) -> Ints:
    """Return the rows that a query finds, in order; takes a microsecond for each."""
    found = searcher.search(query, max(searcher.num_docs, 1), False, ROW, order=tantivy.Order.Asc).hits
    return np.array([row for row, _ in found], np.int64)


def _count(searcher: tantivy.Searcher, query: tantivy.Query) -> int:
    found: Any = searcher.search(query, 1, count=True)  # the stubs of its result lack the count
    count: int = found.count
    return count
