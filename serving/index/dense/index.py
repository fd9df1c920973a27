"""Inner-product search over passage vectors by FAISS: sealed ones memory-mapped, new ones in memory."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import faiss as stubbed_faiss
import numpy as np
import numpy.typing as npt

from foundation.arrays import Flags, Floats, Ints

Bytes = npt.NDArray[np.uint8]
faiss: Any = stubbed_faiss  # whose stubs lack much of what SWIG adds

EXACT_PASSAGES = 150_000
"""Up to here every passage is compared; about 50,000 documents, 4 ms on one core (`clickloop bench search`)."""

_EXACT_ALLOWED = 60_000
_LINKS = 32
_BUILD_BREADTH = 100
_BREADTH = 320
_WIDEST_BREADTH = 4096
_DEVIATIONS = 6.0
_AT_ONCE = 8192
_EXACT_FLOAT32 = 2**24
_KIND = faiss.ScalarQuantizer.QT_8bit_direct_signed

Hits = tuple[Floats, Ints]
"""Scores, and the numbers of the passages that have them, best first."""

_NOTHING: Hits = (np.zeros(0, np.float32), np.zeros(0, np.int64))


class DenseIndex:
    """Passage vectors in 8-bit integers, each belonging to a document row.

    One thread adds; any may search. What was sealed is read from a memory map that processes share,
    exactly or, above `EXACT_PASSAGES`, through an HNSW graph (Malkov & Yashunin 2016, arXiv:1603.09320). What
    came since, and what a narrow filter leaves, is compared exactly. Everything runs on the calling thread.

    Args:
        sealed: Folder that `save` wrote, None to begin empty.
    """

    def __init__(self, dimension: int, sealed: Path | None = None) -> None:
        self.dimension = dimension
        self._scale = 127 * np.sqrt(dimension) / _DEVIATIONS if dimension > _DEVIATIONS**2 else 127.0
        longest = self._scale + np.sqrt(dimension) / 2  # of the codes of a unit vector, each half a step off at most
        self._steps = 2.0 ** np.floor(np.log2(_EXACT_FLOAT32 / longest))
        self._base: Any = faiss.read_index(str(sealed / "passages.faiss"), faiss.IO_FLAG_MMAP_IFC) if sealed else None
        self._sealed = self._base.ntotal if self._base else 0
        self._sealed_bytes = _bytes_of(self._base) if self._base else np.zeros((0, dimension), np.uint8)
        self._delta = faiss.IndexScalarQuantizer(dimension, _KIND, faiss.METRIC_INNER_PRODUCT)
        self._owner: Ints = np.load(sealed / "owners.npy") if sealed else np.zeros(0, np.int64)
        self._alive: Flags = np.load(sealed / "living.npy") if sealed else np.zeros(0, np.bool_)
        self._sum: Ints = np.load(sealed / "sum.npy") if sealed else np.zeros(dimension, np.int64)
        self._count = self._sealed
        self._living = int(self._alive.sum())
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of passages, removed ones included."""
        return self._count

    @property
    def living(self) -> int:
        """The number of passages, without those that were removed."""
        return self._living

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
            self._alive[first : self._count] = True
            self._living += len(owners)
            if len(owners):
                codes = self._quantise(vectors)
                self._sum += codes.sum(axis=0, dtype=np.float64).astype(np.int64)
                _stay_on_this_thread()
                self._delta.add(codes)
            return range(first, self._count)

    def remove(self, passages: range) -> None:
        """Take passages out of every later search."""
        codes = self._codes(np.arange(passages.start, passages.stop))
        with self._lock:
            self._alive[passages.start : passages.stop] = False
            self._living -= len(passages)
            self._sum -= codes.sum(axis=0, dtype=np.float64).astype(np.int64)

    def search(self, query: Floats, limit: int, allowed: Flags | None = None) -> list[int]:
        """Return the rows of the `limit` passages nearest to `query`, best first, each row once.

        Args:
            query: Unit vector, float32 of shape (dimension,).
            limit: Most passages looked at, at least 1.
            allowed: When given, rows that count, by row; rows beyond its end do not.
        """
        if allowed is not None and not len(allowed):
            return []
        count = self._count
        owner, alive = self._owner[:count], self._alive[:count]
        mask = None if allowed is None and self._living == count else alive
        if allowed is not None:
            mask = alive & (owner < len(allowed)) & allowed[np.minimum(owner, len(allowed) - 1)]
        scaled = self._scaled(query)
        hits = (self._search_base(scaled, limit, mask), self._search_delta(scaled, limit, mask, count))
        return _best_rows(hits, limit, owner)

    def search_exactly(self, query: Floats, limit: int) -> list[int]:
        """Return what `search` returns when every passage is compared; to measure by."""
        scaled, mask = self._scaled(query), self._alive[: self._count]
        base = _search_codes(_flat(self._base), scaled, limit, mask[: self._sealed]) if self._base else _NOTHING
        return _best_rows((base, self._search_delta(scaled, limit, mask, self._count)), limit, self._owner)

    def vectors(self, passages: Ints) -> Floats:
        """Return the vectors of passages by number, float32 of shape (len(passages), dimension)."""
        vectors = self._codes(passages)
        vectors /= np.float32(self._scale)
        return vectors

    def similarities(self, passages: Ints, queries: Floats) -> Floats:
        """Return inner products, float32 of shape (len(passages), n), with unit vectors of shape (dimension, n).

        Queries are rounded to as many bits as let no sum of products exceed what a float32 holds exactly: 15 with 384
        numbers, an error of 1e-5. So the products do not depend on the order in which they are summed up.
        """
        products: Floats = self._codes(passages) @ np.rint(queries * self._steps).astype(np.float32)
        products /= np.float32(self._scale * self._steps)  # divided last: there are fewer products than numbers
        return products

    def centre(self) -> Floats:
        """Return the mean of all living passage vectors, the similarity to expect by chance."""
        return (self._sum / (max(1, self._living) * self._scale)).astype(np.float32)

    def as_kept(self, vectors: Floats) -> Floats:
        """Return vectors as they are kept; what is nearest to such is found exactly."""
        kept: Floats = self._quantise(vectors) / np.float32(self._scale)
        return kept

    def save(self, folder: Path) -> None:
        """Write the index into `folder`, with an HNSW graph when it is large; takes minutes then."""
        if self._count > EXACT_PASSAGES:
            index = faiss.IndexHNSWSQ(self.dimension, _KIND, _LINKS, faiss.METRIC_INNER_PRODUCT)
            index.hnsw.efConstruction = _BUILD_BREADTH
        else:
            index = faiss.IndexScalarQuantizer(self.dimension, _KIND, faiss.METRIC_INNER_PRODUCT)
        _stay_on_this_thread()
        for start in range(0, self._count, _AT_ONCE):
            numbers = np.arange(start, min(start + _AT_ONCE, self._count))
            index.add(self._quantise(self.vectors(numbers)))
        faiss.write_index(index, str(folder / "passages.faiss"))
        np.save(folder / "owners.npy", self._owner[: self._count])
        np.save(folder / "living.npy", self._alive[: self._count])
        np.save(folder / "sum.npy", self._sum)

    def _codes(self, passages: Ints) -> Floats:
        sealed = passages < self._sealed
        taken = np.empty((len(passages), self.dimension), np.uint8)
        taken[sealed] = self._sealed_bytes.take(passages[sealed], axis=0)
        if not sealed.all():
            with self._lock:  # while the delta grows, its codes may move
                taken[~sealed] = _bytes_of(self._delta).take(passages[~sealed] - self._sealed, axis=0)
        taken ^= 128  # from 0 to 255 as they are stored, to signed
        return taken.view(np.int8).astype(np.float32)

    def _scaled(self, query: Floats) -> Floats:
        return np.ascontiguousarray(query[None, :] * self._scale, dtype=np.float32)

    def _search_base(self, scaled: Floats, limit: int, mask: Flags | None) -> Hits:
        if not self._sealed:
            return _NOTHING
        mask = None if mask is None else mask[: self._sealed]
        if not isinstance(self._base, faiss.IndexHNSW):
            return _search_codes(self._base, scaled, limit, mask)
        allowed = self._sealed if mask is None else int(mask.sum())
        if allowed <= _EXACT_ALLOWED:
            return _search_codes(_flat(self._base), scaled, limit, mask)
        breadth = min(_WIDEST_BREADTH, max(_BREADTH, 3 * limit // 2) * self._sealed // allowed)
        return _search_codes(self._base, scaled, limit, mask, breadth=breadth)

    def _search_delta(self, scaled: Floats, limit: int, mask: Flags | None, count: int) -> Hits:
        if count == self._sealed:
            return _NOTHING
        with self._lock:
            grown = self._count - self._sealed
            if mask is None and grown == count - self._sealed:
                scores, numbers = _search_codes(self._delta, scaled, limit, None)
            else:
                late = np.zeros(grown, np.bool_)
                late[: count - self._sealed] = True if mask is None else mask[self._sealed :]
                scores, numbers = _search_codes(self._delta, scaled, limit, late)
        return scores, numbers + self._sealed

    def _quantise(self, vectors: Floats) -> Floats:
        return np.ascontiguousarray(np.clip(np.rint(vectors * self._scale), -127, 127), np.float32)

    def _reserve(self, count: int) -> None:
        if count <= len(self._owner):
            return
        more = max(1024, count, len(self._owner) * 3 // 2) - len(self._owner)
        self._owner = np.concatenate([self._owner, np.zeros(more, dtype=np.int64)])
        self._alive = np.concatenate([self._alive, np.zeros(more, dtype=np.bool_)])


def _stay_on_this_thread() -> None:
    """Keep FAISS from starting threads: requests share the cores, and waiting inside a millisecond costs more.

    OpenMP remembers it for each thread that asks, so each call says it anew.
    """
    faiss.omp_set_num_threads(1)


def _flat(index: Any) -> Any:
    """Return the codes of an index as one that compares them all."""
    return index.storage if isinstance(index, faiss.IndexHNSW) else index


def _bytes_of(index: Any) -> Bytes:
    """Return the codes of an index, shape (passages, dimension), where they lie: in its memory map."""
    flat = faiss.downcast_index(_flat(index))
    if not flat.ntotal:
        return np.zeros((0, flat.d), np.uint8)  # there is no memory that could be looked at
    codes: Bytes = faiss.rev_swig_ptr(flat.codes.data(), flat.ntotal * flat.d).reshape(flat.ntotal, flat.d)
    return codes


def _search_codes(index: Any, scaled: Floats, limit: int, mask: Flags | None, breadth: int | None = None) -> Hits:
    if not index.ntotal:
        return _NOTHING
    _stay_on_this_thread()
    bits = None if mask is None else np.packbits(mask, bitorder="little")
    selector = None if bits is None else faiss.IDSelectorBitmap(bits)
    parameters = None
    if breadth is not None:
        parameters = faiss.SearchParametersHNSW(efSearch=breadth, sel=selector)
    elif selector is not None:
        parameters = faiss.SearchParameters(sel=selector)
    scores, numbers = index.search(scaled, min(limit, index.ntotal), params=parameters)
    real = numbers[0] >= 0
    return scores[0][real], numbers[0][real]


def _best_rows(hits: tuple[Hits, Hits], limit: int, owner: Ints) -> list[int]:
    """Return the rows of the best of all hits, each row once."""
    scores = np.concatenate([scores for scores, _ in hits])
    numbers = np.concatenate([numbers for _, numbers in hits])
    best = numbers[np.argsort(-scores, kind="stable")[:limit]]
    return list(dict.fromkeys(owner[best].tolist()))
