"""Exact inner-product search over passage vectors by FAISS, and the vectors themselves."""

from __future__ import annotations

import threading

import faiss
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class DenseIndex:
    """Passage vectors in 16-bit floats, each belonging to a document row.

    One thread adds; any may search. Searching is exact. A search runs on one thread: requests share
    the cores, and threads that wait for each other inside a millisecond cost more than they bring.
    """

    def __init__(self, dimension: int) -> None:
        faiss.omp_set_num_threads(1)
        self.dimension = dimension
        self._index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        self._owner: Ints = np.zeros(0, dtype=np.int64)
        self._vectors: Floats = np.zeros((0, dimension), dtype=np.float32)
        self._alive: npt.NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self._sum = np.zeros(dimension, dtype=np.float64)
        self._count = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of passages, removed ones included."""
        return self._count

    def add(self, owners: list[int], vectors: Floats) -> range:
        """Add passages and return their numbers.

        Args:
            owners: Document row of each passage.
            vectors: Unit vectors, float32 of shape (len(owners), dimension).
        """
        with self._lock:
            first, self._count = self._count, self._count + len(owners)
            self._reserve(self._count)
            self._owner[first : self._count] = owners
            self._vectors[first : self._count] = vectors
            self._alive[first : self._count] = True
            self._sum += vectors.sum(axis=0)
            self._index.add(np.ascontiguousarray(vectors))
            return range(first, self._count)

    def remove(self, passages: range) -> None:
        """Take passages out of every later search."""
        with self._lock:
            self._alive[passages.start : passages.stop] = False
            self._sum -= self._vectors[passages.start : passages.stop].sum(axis=0)

    def search(self, query: Floats, limit: int, allowed: list[int] | None = None) -> list[int]:
        """Return the rows of the `limit` passages nearest to `query`, best first, each row once."""
        with self._lock:
            count = min(limit, self._count)
            if count == 0:
                return []
            mask = self._alive[: self._count]
            if allowed is not None:
                mask = mask & np.isin(self._owner[: self._count], allowed)
            parameters = None
            if not mask.all():
                bits = np.packbits(mask, bitorder="little")
                parameters = faiss.SearchParameters(sel=faiss.IDSelectorBitmap(bits))  # type: ignore[call-arg, arg-type]  # its stubs lack what SWIG adds
            _, found = self._index.search(query[None, :], count, params=parameters)
            rows = self._owner[found[0][found[0] >= 0]]
        return list(dict.fromkeys(rows.tolist()))

    def vectors(self, passages: Ints) -> Floats:
        """Return the vectors of passages by number, float32 of shape (len(passages), dimension)."""
        return self._vectors[passages]

    def centre(self) -> Floats:
        """Return the mean of all living passage vectors, the similarity to expect by chance."""
        living = max(1, int(self._alive[: self._count].sum()))
        return (self._sum / living).astype(np.float32)

    def _reserve(self, count: int) -> None:
        if count <= len(self._owner):
            return
        size = max(1024, count, len(self._owner) * 3 // 2)
        grown = np.zeros((size, self.dimension), dtype=np.float32)
        grown[: len(self._vectors)] = self._vectors
        self._vectors = grown
        self._owner = np.concatenate([self._owner, np.zeros(size - len(self._owner), dtype=np.int64)])
        self._alive = np.concatenate([self._alive, np.zeros(size - len(self._alive), dtype=np.bool_)])
