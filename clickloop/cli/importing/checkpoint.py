"""How far an import came, kept so that the same command goes on where it ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from foundation.disk.files import write_whole
from foundation.disk.folders import make_folder
from foundation.ids import canonical_json, digest_json

Kept = TypeVar("Kept", bound=Any)
"""A dataclass of JSON values with an attribute `rows`: what became of the rows."""


@dataclass(slots=True)
class ImportTally:
    """What became of the rows of a source.

    Attributes:
        rows: Rows whose fate is settled.
        refused: Those that the reader or the service did not take.
    """

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0


class Checkpoint(Generic[Kept]):
    """A small file that says how many rows of a source are settled.

    It counts only while the source is what it was: the same files, sizes and times of change.

    Args:
        purpose: JSON values that tell imports apart: source, service, collection, options.
        nothing: The tally of a run that has not begun.
    """

    def __init__(self, folder: Path, purpose: dict[str, object], files: Sequence[Path], nothing: Kept) -> None:
        self._file = folder / f"{digest_json(purpose)[:16]}.json"
        self._purpose = purpose
        self._nothing = nothing
        self._stamp = _stamp(files)

    def load(self) -> Kept:
        """Return how far the last run came; nothing when there was none or the source has changed."""
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return replace(self._nothing)
        return replace(self._nothing, **(kept["tally"] if kept["stamp"] == self._stamp else {}))

    def save(self, tally: Kept) -> None:
        """Keep how far this run came; the file is whole at any moment."""
        make_folder(self._file.parent)
        kept = {"stamp": self._stamp, "tally": asdict(tally)} | self._purpose
        write_whole(self._file, canonical_json(kept).encode())

    def clear(self) -> None:
        """Forget how far the last run came."""
        self._file.unlink(missing_ok=True)


def _stamp(files: Sequence[Path]) -> str:
    return digest_json([[str(file), file.stat().st_size, file.stat().st_mtime_ns] for file in files])
