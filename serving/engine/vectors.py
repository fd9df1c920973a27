"""Vectors kept on disk by the digest of their text, so that no text is embedded twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foundation.ids import digest_bytes

Floats = npt.NDArray[np.float32]
_KEY_BYTES = 64


class VectorStore:
    """Append-only vectors of one encoder.

    Two files grow together: `keys` holds 64 hexadecimal digits a vector, `rows` its 32-bit floats.
    After a crash between the two writes the longer file is cut back to the shorter.

    Args:
        folder: Where the files are; one folder per encoder digest.
        dimension: Length of a vector.
    """

    def __init__(self, folder: Path, dimension: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._keys_path = folder / "keys"
        self._rows_path = folder / "rows"
        self._dimension = dimension
        self._lock = threading.Lock()
        self._keys_path.touch()
        self._rows_path.touch()
        self._rows = self._repair()
        self._load()

    def embed(self, texts: Sequence[str], encode: Callable[[list[str]], Floats]) -> Floats:
        """Return a vector for each text, float32 of shape (len(texts), dimension).

        Texts seen before are read; the others go through `encode` once and are kept.
        """
        keys = [digest_bytes(text.encode()) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._rows}
        if missing:
            fresh = encode(list(missing.values()))
            self._append(list(missing), fresh)
        return self._matrix[[self._rows[key] for key in keys]]

    def _append(self, keys: list[str], vectors: Floats) -> None:
        with self._lock:
            new = [(key, vector) for key, vector in zip(keys, vectors, strict=True) if key not in self._rows]
            with self._rows_path.open("ab") as rows:
                rows.write(np.ascontiguousarray([vector for _, vector in new], dtype=np.float32).tobytes())
            with self._keys_path.open("ab") as names:
                names.write("".join(key for key, _ in new).encode())
            for key, _ in new:
                self._rows[key] = len(self._rows)
            self._load()

    def _repair(self) -> dict[str, int]:
        row_bytes = self._dimension * 4
        whole = min(self._keys_path.stat().st_size // _KEY_BYTES, self._rows_path.stat().st_size // row_bytes)
        for path, width in ((self._keys_path, _KEY_BYTES), (self._rows_path, row_bytes)):
            with path.open("r+b") as stored:
                stored.truncate(whole * width)
        text = self._keys_path.read_text()
        return {text[at : at + _KEY_BYTES]: index for index, at in enumerate(range(0, len(text), _KEY_BYTES))}

    def _load(self) -> None:
        count = len(self._rows)
        shape = (count, self._dimension)
        self._matrix: Floats = (
            np.memmap(self._rows_path, dtype=np.float32, mode="r", shape=shape)
            if count
            else np.zeros(shape, dtype=np.float32)
        )
