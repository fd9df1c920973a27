"""What is computed with by row of a corpus, in arrays that one thread writes and many read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foundation.arrays import Bits, Flags, Floats, Ints
from serving.index.fingerprint import WORDS


@dataclass(frozen=True, slots=True)
class Columns:
    """Numbers by row; each array is at least as long as the corpus has rows.

    Attributes:
        titles: Trigram fingerprint of the title, shape (rows, 8).
        starts: Number of the first passage in the dense index, shape (rows,).
        counts: How many passages there are, 0 while they wait to be embedded, shape (rows,).
        lengths: Length of the sum of their vectors, float32 of shape (rows,).
        changes: Change number of the document, shape (rows,).
        alive: Whether the row is the present form of its document, shape (rows,).
        keys: 48 bits of a digest of the document's id, the same on every replica, shape (rows,).
    """

    titles: Bits
    starts: Ints
    counts: Ints
    lengths: Floats
    changes: Ints
    alive: Flags
    keys: Ints

    @classmethod
    def empty(cls) -> Columns:
        """Return columns without rows."""
        numbers = np.zeros(0, np.int64)
        return cls(
            titles=np.zeros((0, WORDS), np.uint64),
            starts=numbers,
            counts=numbers,
            lengths=np.zeros(0, np.float32),
            changes=numbers,
            alive=np.zeros(0, np.bool_),
            keys=numbers,
        )

    @classmethod
    def load(cls, folder: Path) -> Columns:
        """Return the columns that `save` wrote, in memory and free to be changed."""
        return cls(*(np.load(folder / f"{one.name}.npy") for one in fields(cls)))

    def save(self, folder: Path, rows: int) -> None:
        """Write the first `rows` rows, a file a column."""
        for one in fields(self):
            np.save(folder / f"{one.name}.npy", getattr(self, one.name)[:rows])

    def grow(self, rows: int) -> Columns:
        """Return the same columns with room for `rows` rows."""
        return Columns(*(_lengthen(getattr(self, one.name), rows) for one in fields(self)))

    def passages(self, rows: Ints) -> tuple[Ints, Ints]:
        """Return the numbers of the passages of documents, and where each document's begin among them."""
        counts = self.counts[rows]
        starts = np.cumsum(counts) - counts
        return np.repeat(self.starts[rows] - starts, counts) + np.arange(counts.sum()), starts


def key_of(document_id: str) -> int:
    """Return the key of a document: of a million, two are alike once in six hundred catalogs."""
    return int.from_bytes(hashlib.blake2b(document_id.encode("utf-8", "surrogatepass"), digest_size=6).digest())


def _lengthen(column: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    longer = np.zeros((rows, *column.shape[1:]), column.dtype)
    longer[: len(column)] = column
    return longer
