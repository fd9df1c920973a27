"""Vectors kept on disk under the digest of their text: append-only, shared by threads and processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foundation.arrays import Floats
from foundation.disk.files import alone

Rows = npt.NDArray[Any]
_KEY_BYTES = 16
_END_BYTES = 8
_CHECKPOINT = 256
"""Texts embedded between two writes: what a crash can lose."""


def key_of(text: str) -> bytes:
    """Return the key of a text: the first 16 bytes of its sha256."""
    return sha256(text.encode()).digest()[:_KEY_BYTES]


class RowStore:
    """Blocks of rows by key. A key is written once and never changed.

    Three files grow together: `keys16` holds 16 bytes a key, `ends` the number of rows up to its end,
    `rows` the rows. A process that appends holds a file lock, and first cuts off what a crash left half
    written. Nothing is read before it is asked for.

    Args:
        width: Numbers in a row.
        kind: Type of a number.
    """

    def __init__(self, folder: Path, width: int, kind: type[np.generic]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._paths = {name: folder / name for name in ("keys16", "ends", "rows")}
        self._lock = folder / "lock"
        self._width = width
        self._kind = np.dtype(kind)
        self._numbers: dict[bytes, int] = {}
        self._ends: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._rows: Rows = np.zeros((0, width), kind)
        self._read = False

    def missing(self, keys: Sequence[bytes]) -> list[int]:
        """Return the indices of the keys that are not stored, the first of equal ones."""
        self._begin()
        return self._new(keys)

    def get(self, keys: Sequence[bytes]) -> list[Rows]:
        """Return the rows of stored keys, each of shape (rows, width), as views of a memory map."""
        self._begin()
        numbers = [self._numbers[key] for key in keys]
        return [self._rows[self._ends[number - 1] if number else 0 : self._ends[number]] for number in numbers]

    def add(self, keys: Sequence[bytes], blocks: Sequence[Rows]) -> None:
        """Store the rows of keys; durable when this returns.

        Keys that others stored meanwhile are kept as they are; of equal keys the first counts.
        """
        with alone(self._lock):
            self._catch_up()
            new = self._new(keys)
            counts = [len(blocks[index]) for index in new]
            ends = (int(self._ends[-1]) if len(self._ends) else 0) + np.cumsum(counts, dtype=np.int64)
            rows = [np.ascontiguousarray(blocks[index], self._kind).tobytes() for index in new]
            self._append("rows", b"".join(rows))
            self._append("ends", ends.tobytes())
            self._append("keys16", b"".join(keys[index] for index in new))
            self._catch_up()

    def _new(self, keys: Sequence[bytes]) -> list[int]:
        first = {key: index for index, key in reversed(list(enumerate(keys)))}
        return sorted(index for key, index in first.items() if key not in self._numbers)

    def _append(self, name: str, content: bytes) -> None:
        with self._paths[name].open("ab") as stored:
            stored.write(content)
            stored.flush()
            os.fsync(stored.fileno())

    def _begin(self) -> None:
        if not self._read:
            with alone(self._lock):
                self._catch_up()

    def _catch_up(self) -> None:
        """Cut off what is half written and read what others appended; the lock is held."""
        for path in self._paths.values():
            path.touch()
        sizes = {name: path.stat().st_size for name, path in self._paths.items()}
        whole = min(sizes["keys16"] // _KEY_BYTES, sizes["ends"] // _END_BYTES)
        ends = np.fromfile(self._paths["ends"], np.int64, whole)
        width = self._width * self._kind.itemsize
        whole = int(np.searchsorted(ends, sizes["rows"] // width, side="right"))
        total = int(ends[whole - 1]) if whole else 0
        for name, size in (("keys16", whole * _KEY_BYTES), ("ends", whole * _END_BYTES), ("rows", total * width)):
            if sizes[name] != size:
                with self._paths[name].open("r+b") as stored:
                    stored.truncate(size)
        self._read = True
        if whole == len(self._numbers):
            return
        with self._paths["keys16"].open("rb") as stored:
            stored.seek(len(self._numbers) * _KEY_BYTES)
            keys = stored.read()
        self._ends = ends[:whole]
        self._rows = np.memmap(self._paths["rows"], self._kind, "r", shape=(total, self._width))
        for start in range(0, len(keys), _KEY_BYTES):
            self._numbers[keys[start : start + _KEY_BYTES]] = len(self._numbers)


class VectorStore:
    """Vectors of one encoder, shared by threads and processes of one machine; see `RowStore`.

    Args:
        folder: Where the files are; one folder per encoder digest.
    """

    def __init__(self, folder: Path, dimension: int) -> None:
        self._rows = RowStore(folder, dimension, np.float32)
        self._dimension = dimension

    def embed(self, texts: Sequence[str], encode: Callable[[list[str]], Floats]) -> Floats:
        """Return a vector for each text, float32 of shape (len(texts), dimension).

        Texts seen before are read; the others go through `encode` once, 256 at a time, and are kept.
        """
        keys = [key_of(text) for text in texts]
        missing = self._rows.missing(keys)
        for start in range(0, len(missing), _CHECKPOINT):
            chosen = [texts[index] for index in missing[start : start + _CHECKPOINT]]
            self.keep(chosen, encode(chosen))
        return np.array(self._rows.get(keys), dtype=np.float32).reshape(len(keys), self._dimension)

    def missing(self, texts: Sequence[str]) -> set[str]:
        """Return the texts that have no vector yet, as far as this process knows."""
        return {texts[index] for index in self._rows.missing([key_of(text) for text in texts])}

    def keep(self, texts: Sequence[str], vectors: Floats) -> None:
        """Store the vectors of texts, float32 of shape (len(texts), dimension), that were embedded elsewhere."""
        self._rows.add([key_of(text) for text in texts], list(vectors[:, None, :]))
