"""A snapshot: a corpus as it was at one change, sealed in a folder that processes share.

The folder is written aside and renamed, so it appears whole. Its large files are read through memory maps; a
process starts from one in a second, and embeds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foundation.errors import ArtifactDamaged
from foundation.ids import digest_bytes
from serving.index.columns import Columns

FORMAT = 7
"""Raised whenever the files change their form; snapshots of other forms are built anew."""

LEXICAL = "lexical"
FIELDS = "fields"
"""Folders inside it."""


@dataclass(frozen=True, slots=True)
class IndexSnapshot:
    """A sealed corpus on disk.

    Attributes:
        change: Last change of the catalog it holds.
        rows: Its rows, retired ones included.
        documents: Its living documents.
        digest: What it holds; see `digest_content`.
    """

    folder: Path
    change: int
    rows: int
    documents: int
    digest: str

    @property
    def id(self) -> str:
        """Its name."""
        return self.folder.name

    @classmethod
    def open(cls, folder: Path) -> IndexSnapshot:
        """Return the snapshot in `folder`.

        Raises:
            ArtifactDamaged: It is none, or of another form.
        """
        try:
            described = json.loads((folder / "snapshot.json").read_text())
        except (OSError, ValueError) as problem:
            raise ArtifactDamaged(f"{folder} holds no readable snapshot: {problem}") from problem
        if described.pop("format", 0) != FORMAT:
            raise ArtifactDamaged(f"the snapshot in {folder} was written by another release")
        return cls(folder, **described)

    @classmethod
    def write(cls, folder: Path, change: int, names: list[str], columns: Columns) -> None:
        """Describe the snapshot whose other files are already in `folder`.

        Args:
            names: Document id by row.
        """
        columns.save(folder, len(names))
        (folder / "names.json").write_text(json.dumps(names, ensure_ascii=False))
        living = np.flatnonzero(columns.alive[: len(names)]).tolist()
        described = {
            "format": FORMAT,
            "change": change,
            "rows": len(names),
            "documents": len(living),
            "digest": digest_content((names[row], int(columns.changes[row])) for row in living),
        }
        (folder / "snapshot.json").write_text(json.dumps(described))

    def names(self) -> list[str]:
        """Return the document id of each row."""
        names: list[str] = json.loads((self.folder / "names.json").read_text())
        return names


def digest_content(held: Iterable[tuple[str, int]]) -> str:
    """Return a digest of document ids and their change numbers that does not depend on their order."""
    total = sum(int(digest_bytes(f"{name}\x00{change}".encode())[:32], 16) for name, change in held)
    return f"{total % 2**128:032x}"
