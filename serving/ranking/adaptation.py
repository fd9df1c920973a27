"""What training adds to frozen vectors: a query adapter and small shifts of documents."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foundation.arrays import Floats, Ints
from foundation.errors import ArtifactDamaged
from serving.index.corpus import Corpus


@dataclass(frozen=True, slots=True)
class Adapter:
    """Maps a query vector into the documents' space: q' = unit(q + W q + b).

    Attributes:
        weight: W, float32 of shape (dimension, dimension).
        bias: b, float32 of shape (dimension,).
    """

    weight: Floats
    bias: Floats

    def adapt(self, query: Floats) -> Floats:
        """Return the unit adapted vector of one query (dimension,) or of many (n, dimension)."""
        moved = query + query @ self.weight.T + self.bias
        unit: Floats = moved / np.maximum(np.linalg.norm(moved, axis=-1, keepdims=True), 1e-9)
        return unit

    def to_bytes(self) -> bytes:
        """Return the adapter as an artifact."""
        return _pack(weight=self.weight, bias=self.bias)

    @classmethod
    def from_bytes(cls, content: bytes) -> Adapter:
        """Return the adapter of an artifact; ArtifactDamaged when it is none."""
        arrays = _unpack(content, ("weight", "bias"))
        return cls(arrays["weight"], arrays["bias"])


@dataclass(frozen=True, slots=True)
class Residuals:
    """Shifts e of document vectors: d' = unit(d + e), for documents with evidence only.

    Attributes:
        shifts: Float32 of shape (len(ids), dimension).
    """

    ids: tuple[str, ...]
    shifts: Floats

    def to_bytes(self) -> bytes:
        """Return the residuals as an artifact."""
        return _pack(ids=np.array(self.ids, dtype=np.str_), shifts=self.shifts.astype(np.float16))

    @classmethod
    def from_bytes(cls, content: bytes) -> Residuals:
        """Return the residuals of an artifact; ArtifactDamaged when it is none."""
        arrays = _unpack(content, ("ids", "shifts"))
        return cls(tuple(arrays["ids"].tolist()), arrays["shifts"].astype(np.float32))


@dataclass(frozen=True, slots=True)
class Shifted:
    """The shifted document vectors of one version over one state of a corpus.

    Attributes:
        rows: Rows of the documents that moved, shape (n,).
        vectors: Their unit vectors, float32 of shape (n, dimension).
        index: Index into `vectors` by corpus row, -1 for the others; the last entry stands for newer rows.
    """

    rows: Ints
    vectors: Floats
    index: Ints


def shift_documents(corpus: Corpus, residuals: Residuals | None) -> Shifted:
    """Return d' = unit(d + e) for the documents of the corpus that have a residual."""
    numbered = [
        (row, number)
        for number, document in enumerate(residuals.ids if residuals else ())
        if (row := corpus.row(document)) is not None
    ]
    rows = np.array([row for row, _ in numbered], dtype=np.int64)
    moved = corpus.means(rows)
    if residuals is not None and numbered:
        moved = moved + residuals.shifts[[number for _, number in numbered]]
    index = np.full(len(corpus.columns.starts) + 1, -1, dtype=np.int64)
    index[rows] = np.arange(len(rows))
    return Shifted(rows, (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32), index)


def _pack(**arrays: npt.NDArray[np.generic]) -> bytes:
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    return out.getvalue()


def _unpack(content: bytes, names: tuple[str, ...]) -> dict[str, npt.NDArray[np.float32]]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return {name: stored[name] for name in names}
    except (KeyError, ValueError, OSError) as problem:
        raise ArtifactDamaged(f"the artifact does not hold {', '.join(names)}: {problem}") from problem
