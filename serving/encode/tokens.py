"""Token vectors of documents: kept by text, and by row of a corpus for late interaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foundation.arrays import Floats, Ints
from serving.encode.projection import CODE_BYTES, MIN_PASSAGES, Codes, Projection, arrange, decode
from serving.encode.rows import RowStore, VectorStore, key_of

EncodeBoth = Callable[[list[str]], tuple[Floats, list[Floats]]]
_CHECKPOINT = 256
_DOCUMENTS_AT_ONCE = 10  # what they need then fits into the processor's cache


class TokenStore:
    """Compressed token vectors of passages under one encoder, made in the pass that makes their vectors.

    The projection is learned once, from the first batch of enough texts, and kept. Until then there are no tokens.

    Args:
        folder: Where the files are; one folder per encoder digest.
        vectors: Keeps the vectors that the same pass makes.
        encode: Returns unit vectors and the token vectors of texts.
    """

    def __init__(self, folder: Path, vectors: VectorStore, encode: EncodeBoth) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._rows = RowStore(folder, CODE_BYTES, np.uint8)
        self._path = folder / "projection.npz"
        self._projection: Projection | None = None
        self._vectors = vectors
        self._encode = encode

    @property
    def projection(self) -> Projection | None:
        """What makes tokens small, None while too few texts have been seen."""
        if self._projection is None and self._path.exists():
            self._projection = Projection.load(self._path)
        return self._projection

    def embed(self, texts: Sequence[str]) -> list[Codes] | None:
        """Return the codes of each text's tokens, uint8 of shape (tokens, 32); None while there is no projection."""
        keys = [key_of(text) for text in texts]
        missing = self._rows.missing(keys)
        if self.projection is None and len(missing) < MIN_PASSAGES:
            return None
        for start in range(0, len(missing), _CHECKPOINT):
            chosen = [texts[index] for index in missing[start : start + _CHECKPOINT]]
            vectors, tokens = self._encode(chosen)
            projection = self.projection or self._learn(tokens)
            self._vectors.keep(chosen, vectors)
            self._rows.add([key_of(text) for text in chosen], [projection.compress(one) for one in tokens])
        return self._rows.get(keys)

    def _learn(self, tokens: list[Floats]) -> Projection:
        Projection.learn(tokens).save(self._path)
        self._projection = Projection.load(self._path)  # another process may have been first
        return self._projection


class TokenTable:
    """Codes by row of a corpus: sealed ones in a memory map, later ones in memory.

    One thread adds; any may score.

    Args:
        sealed: Folder that `save` wrote, None to begin empty.
    """

    def __init__(self, sealed: Path | None = None) -> None:
        self._ends: Ints = np.load(sealed / "token-ends.npy") if sealed else np.zeros(0, np.int64)
        self._sealed: Codes = np.zeros((0, CODE_BYTES), np.uint8)
        if sealed and len(self._ends) and self._ends[-1]:
            self._sealed = np.memmap(sealed / "tokens", np.uint8, "r", shape=(int(self._ends[-1]), CODE_BYTES))
        self._later: dict[int, Codes] = {}

    def add(self, row: int, codes: Codes) -> None:
        """Keep the codes of a row that has none yet, uint8 of shape (tokens, 32)."""
        self._later[row] = codes

    def scores(self, query: Floats, rows: Ints) -> Floats:
        """Return the late interaction of a query with documents, float32 of shape (len(rows),).

        The mean over the query's tokens of the best cosine with any token of the document (MaxSim;
        Khattab and Zaharia 2020, arXiv:2004.12832). Documents without tokens get the mean of the others.

        Args:
            query: Unit vectors, float32 of shape (tokens, 64).
            rows: Rows of documents, shape (n,).
        """
        result = np.full(len(rows), np.nan, np.float32)
        query = arrange(query)
        numbers = rows.tolist()
        for start in range(0, len(numbers), _DOCUMENTS_AT_ONCE):
            chosen = numbers[start : start + _DOCUMENTS_AT_ONCE]
            result[start : start + len(chosen)] = self._score(query, [self._codes(row) for row in chosen])
        filled = ~np.isnan(result)
        result[~filled] = result[filled].mean() if filled.any() else 0.0
        return result

    def _score(self, query: Floats, blocks: list[Any]) -> Floats:
        """Return the scores of documents by their codes, not a number for those without."""
        counts = np.array([len(block) for block in blocks])
        result = np.full(len(blocks), np.nan, np.float32)
        filled = np.flatnonzero(counts)
        if len(filled):
            starts = np.cumsum(counts[filled]) - counts[filled]
            vectors, lengths = decode(np.concatenate([blocks[index] for index in filled]))
            cosines = vectors @ query.T / lengths[:, None]  # divided last: there are fewer cosines than numbers
            result[filled] = np.maximum.reduceat(cosines, starts, axis=0).mean(axis=1)
        return result

    def save(self, folder: Path, rows: int) -> None:
        """Write the codes of the first `rows` rows into `folder`."""
        ends = np.zeros(rows, np.int64)
        written = 0
        with (folder / "tokens").open("wb") as stored:
            for row in range(rows):
                codes = self._codes(row)
                stored.write(np.ascontiguousarray(codes).tobytes())
                written += len(codes)
                ends[row] = written
        np.save(folder / "token-ends.npy", ends)

    def _codes(self, row: int) -> Any:
        later = self._later.get(row)
        if later is not None:
            return later
        if row >= len(self._ends):
            return self._sealed[:0]
        start = int(self._ends[row - 1]) if row else 0
        return self._sealed[start : int(self._ends[row])]
