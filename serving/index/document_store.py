"""The documents of a corpus by row: sealed ones read from a memory map, later ones in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from foundation.arrays import Ints
from foundation.contracts import Document


class DocumentStore:
    """Documents in the order of their rows, which only grows.

    Args:
        sealed: Folder that `save` wrote, None to begin empty.
    """

    def __init__(self, sealed: Path | None = None) -> None:
        self._ends: Ints = np.load(sealed / "ends.npy") if sealed else np.zeros(0, np.int64)
        self._bytes: Any = np.zeros(0, np.uint8)
        if sealed and len(self._ends):
            self._bytes = np.asarray(np.memmap(sealed / "documents", np.uint8, "r"))
        self._later: list[Document] = []

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._ends) + len(self._later)

    def add(self, document: Document) -> int:
        """Add a document and return its row."""
        self._later.append(document)
        return len(self) - 1

    def get(self, row: int) -> Document:
        """Return the document of a row, as it was when it was added."""
        if row >= len(self._ends):
            return self._later[row - len(self._ends)]
        start = int(self._ends[row - 1]) if row else 0
        values = json.loads(self._bytes[start : int(self._ends[row])].tobytes())
        return Document(*values)

    def save(self, folder: Path) -> None:
        """Write all documents into `folder`."""
        ends = np.zeros(len(self), np.int64)
        with (folder / "documents").open("wb") as stored:
            for row in range(len(self)):
                one = self.get(row)
                values = (one.id, one.title, one.text, one.url, one.fields, one.change)
                stored.write(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode())
                ends[row] = stored.tell()
        np.save(folder / "ends.npy", ends)
