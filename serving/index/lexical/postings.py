"""Which rows hold a term and how often, read from the index once and kept in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tantivy

from serving.index.lexical.clauses import COUNTS, TEXTS, Term
from serving.index.lexical.storage import ROW
from serving.index.lexical.synonyms import Stems

MAX_BYTES = 64_000_000
"""Memory of all terms of one index; what was not asked for longest is forgotten."""

COUNT_BITS = 6
"""Bits in which it is told how often a text holds a word; more often says nothing further."""

MAX_COUNT = 2**COUNT_BITS

Rows = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Posting:
    """The rows of one term.

    Attributes:
        rows: In ascending order, shape (n,).
        counts: How often each holds it, from 1 to `MAX_COUNT`, shape (n,).
        until: Rows from this one on are not known.
    """

    rows: Rows
    counts: npt.NDArray[np.uint8]
    until: int

    def before(self, until: int) -> Posting:
        """Return what is known of the rows below one."""
        if until >= self.until:
            return self
        end = int(np.searchsorted(self.rows, until))
        return Posting(self.rows[:end], self.counts[:end], until)

    def plus(self, later: Posting) -> Posting:
        """Return this and what is known of later rows."""
        rows, counts = (self.rows, later.rows), (self.counts, later.counts)
        return Posting(np.concatenate(rows), np.concatenate(counts), later.until)

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.rows.nbytes + self.counts.nbytes


class Postings:
    """The terms of one index. Safe to use from many threads.

    A row never changes and never comes back: what is known of a term stays true, and only later rows are read. Rows
    that were removed may be among them; whoever asks knows which are present. Reading takes a third of a microsecond
    a row.
    """

    def __init__(self, schema: tantivy.Schema) -> None:
        self._schema = schema
        self._kept: OrderedDict[Term, Posting] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def of(self, searcher: tantivy.Searcher, term: Term, rows: int) -> Posting:
        """Return which of the rows below `rows` hold a term, as the searcher knows it; phrases count once a row."""
        with self._lock:
            known = self._kept.get(term)
            if known is not None:
                self._kept.move_to_end(term)
        if known is None:
            known = self._keep(term, self._read(searcher, term, 0, rows))
        elif known.until < rows:
            known = self._keep(term, known.plus(self._read(searcher, term, known.until, rows)))
        return known.before(rows)

    def _read(self, searcher: tantivy.Searcher, term: Term, start: int, end: int) -> Posting:
        rows = self._rows(searcher, self._query(*term), start, end)
        counts = np.ones(len(rows), np.uint8)
        name, stem = term
        if name in TEXTS and isinstance(stem, str) and len(rows):
            for bit in range(COUNT_BITS):
                further = count_term(name, stem, bit)
                if searcher.doc_freq(COUNTS, further):
                    held = self._rows(searcher, self._query(COUNTS, further), start, end)
                    counts[np.searchsorted(rows, held)] += 1 << bit
        return Posting(rows, counts, end)

    def _query(self, name: str, words: str | Stems) -> tantivy.Query:
        if isinstance(words, str):
            return tantivy.Query.term_query(self._schema, name, words)
        return tantivy.Query.phrase_query(self._schema, name, list(words))

    def _rows(self, searcher: tantivy.Searcher, query: tantivy.Query, start: int, end: int) -> Rows:
        if start:
            since = tantivy.Query.range_query(self._schema, ROW, tantivy.FieldType.Integer, start, end, True, False)
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, since)])
        found = searcher.search(query, max(searcher.num_docs, 1), False, ROW, order=tantivy.Order.Asc).hits
        rows = np.fromiter((row for row, _ in found), np.int32, len(found))
        return rows[: np.searchsorted(rows, end)]

    def _keep(self, term: Term, posting: Posting) -> Posting:
        with self._lock:
            known = self._kept.pop(term, None)
            if known is not None:
                self._size -= known.size
                posting = max(known, posting, key=lambda one: one.until)
            self._kept[term] = posting
            self._size += posting.size
            while len(self._kept) > 1 and self._size > MAX_BYTES:
                _, forgotten = self._kept.popitem(last=False)
                self._size -= forgotten.size
        return posting


def count_terms(name: str, stems: list[str]) -> list[str]:
    """Return what tells how often a text holds each of its words: the bits of the number of further times."""
    times: dict[str, int] = {}
    for stem in stems:
        times[stem] = times.get(stem, 0) + 1
    further = {stem: min(count, MAX_COUNT) - 1 for stem, count in times.items() if count > 1}
    return [
        count_term(name, stem, bit) for stem, count in further.items() for bit in range(COUNT_BITS) if count >> bit & 1
    ]


def count_term(name: str, stem: str, bit: int) -> str:
    """Return the term of the texts that hold a word so many further times that a bit of their number is set."""
    return f"{name}:{bit}:{stem}"
