"""The documents of one corpus as a static tower reads them, kept up with its changes."""

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np

from foundation.arrays import Flags, Floats, Ints
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.index.dense.index import DenseIndex
from serving.ranking.tower.documents import TowerDocuments
from serving.ranking.tower.pieces import text_of

CANDIDATES = 50

_AT_ONCE = 2048
_PER_SEARCH = 16


class Tower(Protocol):
    """What embeds; see `serving.ranking.tower.static_tower`."""

    documents: TowerDocuments | None

    @property
    def dimension(self) -> int:
        """Of its vectors."""

    def encode(self, texts: list[str]) -> Floats:
        """Return unit vectors, float32 of shape (len(texts), dimension)."""


class TowerVectors:
    """Vectors of a corpus under one tower, by row. Safe to use from many threads.

    Whoever makes it waits until every document has a vector. Later ones get theirs in searches, at most 16 a search,
    a millisecond each; until then they count as near as the mean of the corpus.
    """

    def __init__(self, tower: Tower, corpus: Corpus) -> None:
        self._tower = tower
        self._corpus = corpus
        self._index = DenseIndex(tower.dimension)
        self._place: Ints = np.full(0, -1, np.int64)
        self._seen = 0
        self._lock = threading.Lock()
        self._take_known()
        while self._seen < corpus.size:
            self._follow(_AT_ONCE)

    def read(self, query: Query) -> Floats:
        """Return the vector of a query, shape (dimension,), after taking in some documents that are new."""
        if self._seen < self._corpus.size and self._lock.acquire(blocking=False):
            try:
                self._follow(_PER_SEARCH)
            finally:
                self._lock.release()
        vector: Floats = self._tower.encode([query.words])[0]
        return vector

    def search(self, vector: Floats, allowed: Flags | None) -> list[int]:
        """Return the rows of the nearest documents, best first."""
        return self._index.search(vector, CANDIDATES, allowed) if len(self._index) else []

    def similarities(self, rows: Ints, vector: Floats) -> Floats:
        """Return the cosine of each row with a query, shape (len(rows),)."""
        place = self._place
        places = (
            np.where(rows < len(place), place[np.minimum(rows, len(place) - 1)], -1) if len(place) else rows * 0 - 1
        )
        cosines = np.full(len(rows), float(self._index.centre() @ vector), np.float32)
        there = np.flatnonzero(places >= 0)
        if len(there):
            cosines[there] = self._index.similarities(places[there], vector[:, None])[:, 0]
        return cosines

    def _take_known(self) -> None:
        """Take in the documents that the tower embedded, as far as they are unchanged."""
        known = self._tower.documents
        if known is None:
            return
        pairs = [(row, number) for number, name in enumerate(known.ids) if (row := self._corpus.row(name)) is not None]
        rows, numbers = np.array(pairs, np.int64).reshape(-1, 2).T
        same = self._corpus.columns.changes[rows] == known.changes[numbers]
        self._add(rows[same], known.vectors(numbers[same]))

    def _follow(self, limit: int) -> None:
        """Embed the next rows that have no vector, at most `limit`."""
        end = min(self._corpus.size, self._seen + limit)
        rows = np.arange(self._seen, end)
        have = np.concatenate([self._place, np.full(max(0, end - len(self._place)), -1, np.int64)])[rows] >= 0
        wanted = rows[~have & self._corpus.columns.alive[rows]]
        texts = [text_of(self._corpus.document(row)) for row in wanted.tolist()]
        self._add(wanted, self._tower.encode(texts) if texts else np.zeros((0, self._tower.dimension), np.float32))
        self._seen = end

    def _add(self, rows: Ints, vectors: Floats) -> None:
        size = max(self._corpus.size, int(rows.max(initial=-1)) + 1, len(self._place))
        place = np.concatenate([self._place, np.full(size - len(self._place), -1, np.int64)])
        numbers = self._index.add(rows.tolist(), vectors)
        place[rows] = np.arange(numbers.start, numbers.stop)
        self._place = place
