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
from serving.engine.signature import Bits, sign

Floats = npt.NDArray[np.float32]
Embed = Callable[[list[str]], Floats]


@dataclass(frozen=True, slots=True)
class Entry:
    """A document at its row of the indexes.

    Attributes:
        passages: Numbers of its passages in the dense index.
        mean: Unit mean of its passage vectors, float32 of shape (dimension,).
        title_bits: Trigram bitmap of its title.
    """

    document: Document
    passages: range
    mean: Floats
    title_bits: Bits


class Corpus:
    """Documents that can be searched while others are added, changed and deleted.

    A change takes a new row and retires the old one, so a running search keeps what it found. One
    thread applies changes; any number search.
    """

    def __init__(self, dimension: int) -> None:
        self.lexical = LexicalIndex()
        self.dense = DenseIndex(dimension)
        self.entries: list[Entry] = []
        self.change = 0
        self._rows: dict[str, int] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of searchable documents."""
        return len(self._rows)

    def row(self, document_id: str) -> int | None:
        """Return the row of a document, None when it is not searchable."""
        return self._rows.get(document_id)

    def is_alive(self, row: int) -> bool:
        """Tell whether a row is the present form of its document."""
        return self._rows.get(self.entries[row].document.id) == row

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
        mean = total / max(float(np.linalg.norm(total)), 1e-9)
        self.entries.append(Entry(document, passages, mean.astype(np.float32), sign(document.title)))
        self.lexical.add(row, document.title, document.text)
        self._rows[document.id] = row

    def _retire(self, document_id: str) -> None:
        row = self._rows.pop(document_id, None)
        if row is not None:
            self.dense.remove(self.entries[row].passages)
            self.lexical.remove(row)


def _holds(value: Any, wanted: list[Any]) -> bool:
    if isinstance(value, list):
        return any(item in wanted for item in value)
    return value in wanted
