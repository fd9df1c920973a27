"""Vectors kept on disk by the digest of their text, so that no text is embedded twice."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foundation.ids import digest_bytes

Floats = npt.NDArray[np.float32]
_KEY_BYTES = 64


class VectorStore:
    """Append-only vectors of one encoder, shared by threads and processes of one machine.

    Two files grow together: `keys` holds 64 hexadecimal digits a vector, `rows` its 32-bit floats.
    Whoever appends holds a file lock; what a crash left half written is cut off first.

    Args:
        folder: Where the files are; one folder per encoder digest.
        dimension: Length of a vector.
    """

    def __init__(self, folder: Path, dimension: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._keys_path = folder / "keys"
        self._rows_path = folder / "rows"
        self._lock_path = folder / "lock"
        self._dimension = dimension
        self._threads = threading.Lock()
        self._places: dict[str, int] = {}
        self._matrix: Floats = np.zeros((0, dimension), dtype=np.float32)
        with self._alone():
            self._catch_up()

    def embed(self, texts: Sequence[str], encode: Callable[[list[str]], Floats]) -> Floats:
        """Return a vector for each text, float32 of shape (len(texts), dimension).

        Texts seen before are read; the others go through `encode` once and are kept.
        """
        keys = [digest_bytes(text.encode()) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._places}
        if missing:
            self._append(list(missing), encode(list(missing.values())))
        return np.array(self._matrix[[self._places[key] for key in keys]]).reshape(len(keys), self._dimension)

    def _append(self, keys: list[str], vectors: Floats) -> None:
        with self._alone():
            self._catch_up()
            new = [place for place, key in enumerate(keys) if key not in self._places]
            with self._rows_path.open("ab") as rows:
                rows.write(np.ascontiguousarray(vectors[new], dtype=np.float32).tobytes())
            with self._keys_path.open("ab") as names:
                names.write("".join(keys[place] for place in new).encode())
            self._catch_up()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._threads, self._lock_path.open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    def _catch_up(self) -> None:
        """Cut off what is half written and read what others appended; the lock is held."""
        self._keys_path.touch()
        self._rows_path.touch()
        width = self._dimension * 4
        whole = min(self._keys_path.stat().st_size // _KEY_BYTES, self._rows_path.stat().st_size // width)
        for path, size in ((self._keys_path, whole * _KEY_BYTES), (self._rows_path, whole * width)):
            if path.stat().st_size != size:
                with path.open("r+b") as stored:
                    stored.truncate(size)
        if whole == len(self._places):
            return
        with self._keys_path.open("rb") as stored:
            stored.seek(len(self._places) * _KEY_BYTES)
            text = stored.read().decode()
        matrix = np.memmap(self._rows_path, dtype=np.float32, mode="r", shape=(whole, self._dimension))
        self._matrix = matrix
        for start in range(0, len(text), _KEY_BYTES):
            self._places[text[start : start + _KEY_BYTES]] = len(self._places)
