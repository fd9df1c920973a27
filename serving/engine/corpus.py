"""The searchable form of a collection: its documents with their lexical and dense indexes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from foundation.contracts import Document
from serving.engine.dense import DenseIndex
from serving.engine.lexical import LexicalIndex
from serving.engine.passages import split_passages
from serving.engine.signature import WORDS, Bits, sign

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Embed = Callable[[list[str]], Floats]


@dataclass(frozen=True, slots=True)
class Entry:
    """A document at its row of the indexes.

    Attributes:
        passages: Numbers of its passages in the dense index.
    """

    document: Document
    passages: range


@dataclass(frozen=True, slots=True)
class Columns:
    """What is computed with, by row; at least as long as the corpus has rows.

    Attributes:
        means: Unit mean of the passage vectors, float32 of shape (rows, dimension).
        titles: Trigram bitmap of the title, shape (rows, 8).
        starts: Number of the first passage in the dense index, shape (rows,).
        counts: How many passages there are, shape (rows,).
        alive: Whether the row is the present form of its document, shape (rows,).
    """

    means: Floats
    titles: Bits
    starts: Ints
    counts: Ints
    alive: Flags

    def grow(self, rows: int) -> Columns:
        """Return the same columns with room for `rows` rows."""
        columns = (self.means, self.titles, self.starts, self.counts, self.alive)
        return Columns(*(_lengthen(column, rows) for column in columns))


class Corpus:
    """Documents that can be searched while others are added, changed and deleted.

    A change takes a new row and retires the old one, so a running search keeps what it found. One
    thread applies changes; any number search.
    """

    def __init__(self, dimension: int) -> None:
        self.lexical = LexicalIndex()
        self.dense = DenseIndex(dimension)
        self.entries: list[Entry] = []
        self.columns = Columns(
            np.zeros((0, dimension), np.float32),
            np.zeros((0, WORDS), np.uint64),
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
            np.zeros(0, np.bool_),
        )
        self.change = 0
        self._rows: dict[str, int] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of searchable documents."""
        return len(self._rows)

    def row(self, document_id: str) -> int | None:
        """Return the row of a document, None when it is not searchable."""
        return self._rows.get(document_id)

    def ids(self) -> list[str]:
        """Return the ids of all searchable documents."""
        return list(self._rows)

    def apply(self, changes: list[Document], embed: Embed) -> None:
        """Make changes of the catalog searchable, all at once for the lexical index.

        Args:
            changes: In order of their change numbers; deletions have `deleted` set.
            embed: Returns unit vectors, float32 of shape (texts, dimension).
        """
        if not changes:
            return
        latest = {change.id: change for change in changes}
        written = [document for document in latest.values() if not document.deleted]
        passages = [split_passages(document.title, document.text) for document in written]
        vectors = embed([passage for split in passages for passage in split])
        with self._lock:
            for document in latest.values():
                self._retire(document.id)
            start = 0
            for document, split in zip(written, passages, strict=True):
                self._add(document, vectors[start : start + len(split)])
                start += len(split)
            self.lexical.commit()
            self.change = max(self.change, changes[-1].change)

    def matching(self, filters: dict[str, Any]) -> list[int]:
        """Return the living rows whose fields equal every filter; a list means any of its values."""
        wanted = {name: value if isinstance(value, list) else [value] for name, value in filters.items()}
        return [
            row
            for row in list(self._rows.values())
            if all(_holds(self.entries[row].document.fields.get(name), values) for name, values in wanted.items())
        ]

    def _add(self, document: Document, vectors: Floats) -> None:
        row = len(self.entries)
        passages = self.dense.add([row] * len(vectors), vectors)
        total = vectors.sum(axis=0)
        if row >= len(self.columns.starts):
            self.columns = self.columns.grow(max(1024, row * 3 // 2))
        self.columns.means[row] = total / max(float(np.linalg.norm(total)), 1e-9)
        self.columns.titles[row] = sign(document.title)
        self.columns.starts[row], self.columns.counts[row] = passages.start, len(passages)
        self.entries.append(Entry(document, passages))
        self.lexical.add(row, document.title, document.text)
        self._rows[document.id] = row
        self.columns.alive[row] = True

    def _retire(self, document_id: str) -> None:
        row = self._rows.pop(document_id, None)
        if row is not None:
            self.columns.alive[row] = False
            self.dense.remove(self.entries[row].passages)
            self.lexical.remove(row)


def _lengthen(column: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    longer = np.zeros((rows, *column.shape[1:]), column.dtype)
    longer[: len(column)] = column
    return longer


def _holds(value: Any, wanted: list[Any]) -> bool:
    if isinstance(value, list):
        return any(item in wanted for item in value)
    return value in wanted
