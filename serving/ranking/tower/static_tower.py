"""A learned vector for each word piece; a text is their mean. No network: a thousand documents a second."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
from scipy.sparse import csr_array

from foundation.arrays import Floats, Ints
from foundation.errors import ArtifactDamaged
from serving.index.corpus import Corpus
from serving.ranking.tower.documents import TowerDocuments
from serving.ranking.tower.pieces import WordPieces
from serving.ranking.tower.vectors import TowerVectors


class StaticTower:
    """Unit vectors of texts by word pieces alone. Safe to use from many threads.

    Args:
        table: A vector a piece, float32 of shape (pieces, dimension).
        documents: What it embedded before.
    """

    def __init__(self, table: Floats, pieces: WordPieces, documents: TowerDocuments | None = None) -> None:
        self.table = table
        self.pieces = pieces
        self.documents = documents
        self._over: WeakKeyDictionary[Corpus, TowerVectors] = WeakKeyDictionary()
        self._lock = threading.Lock()

    @property
    def dimension(self) -> int:
        """Of its vectors, which no other encoder shares."""
        return int(self.table.shape[1])

    def encode(self, texts: list[str]) -> Floats:
        """Return unit vectors, float32 of shape (len(texts), dimension); zero for texts without pieces."""
        return self.pool(self.pieces.share(texts))

    def pool(self, shares: csr_array) -> Floats:
        """Return the unit vectors of texts by the shares of their pieces."""
        return unit(np.asarray(shares @ self.table, np.float32))

    def over(self, corpus: Corpus) -> TowerVectors:
        """Return the vectors of a corpus; the first call embeds what the tower did not bring along."""
        with self._lock:
            if corpus not in self._over:
                self._over[corpus] = TowerVectors(self, corpus)
            return self._over[corpus]

    def with_documents(self, ids: Sequence[str], changes: Ints, vectors: Floats) -> StaticTower:
        """Return the tower with the documents that it embedded."""
        return StaticTower(self.table, self.pieces, TowerDocuments.of(ids, changes, vectors))

    def to_bytes(self) -> bytes:
        """Return the tower as an artifact: the table in 16 bits, the documents in 8."""
        known = self.documents or TowerDocuments.of((), np.zeros(0, np.int64), self.table[:0])
        out = io.BytesIO()
        np.savez(
            out,
            allow_pickle=False,
            table=self.table.astype(np.float16),
            tokenizer=np.frombuffer(self.pieces.tokenizer.encode(), np.uint8),
            ids=np.array(known.ids, dtype=np.str_),
            changes=known.changes,
            codes=known.codes,
        )
        return out.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> StaticTower:
        """Return the tower of an artifact; ArtifactDamaged when it is none."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                known = TowerDocuments(tuple(stored["ids"].tolist()), stored["changes"], stored["codes"])
                pieces = WordPieces(stored["tokenizer"].tobytes().decode())
                return cls(stored["table"].astype(np.float32), pieces, known)
        except (KeyError, ValueError, OSError) as problem:
            raise ArtifactDamaged(f"the artifact holds no static tower: {problem}") from problem


def unit(vectors: Floats) -> Floats:
    """Return vectors of length 1, zero ones as they are."""
    scaled: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-9))
    return scaled
