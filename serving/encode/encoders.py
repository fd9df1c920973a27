"""The encoders of one process: its own by its settings, and those that versions bring along."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from foundation.contracts import Manifest
from foundation.errors import ClickloopError
from serving.encode.embedder import StoredEmbedder
from serving.encode.form import open_packed


class Encoders:
    """Opens each encoder once. Safe to use from many threads.

    Args:
        home: Keeps the forms of encoders and the vectors that they made.
        threads: Batches of texts that one of them encodes at the same time.
        late: Whether tokens are kept for late interaction.

    Attributes:
        own: The encoder of the settings.
    """

    def __init__(self, own: StoredEmbedder, home: Path, *, threads: int, late: bool) -> None:
        self.own = own
        self._home = home
        self._threads = threads
        self._late = late
        self._others: dict[str, StoredEmbedder] = {}
        self._lock = threading.Lock()

    def of(self, manifest: Manifest, fetch: Callable[[str], bytes]) -> StoredEmbedder:
        """Return the encoder of a version, with what it embedded before.

        Args:
            fetch: Returns an artifact's bytes by digest; its errors pass through.

        Raises:
            ClickloopError: It is another one than this process's own, and the version does not carry it.
        """
        if manifest.encoder == self.own.encoder.digest:
            return self.own
        if not manifest.encoder_form:
            raise ClickloopError(
                f"it needs the encoder {manifest.encoder} and does not carry it, this process runs "
                f"{self.own.encoder.digest}; set CLICKLOOP_MODEL and CLICKLOOP_ENCODER_PRECISION as when it was trained"
            )
        return self.open(manifest.encoder, lambda: fetch(manifest.encoder_form))

    def open(self, name: str, packed: Callable[[], bytes]) -> StoredEmbedder:
        """Return an encoder by its name.

        Args:
            packed: Returns its form, where this machine does not have it.
        """
        with self._lock:
            if name not in self._others:
                encoder = open_packed(name, packed, self._home / "onnx", self._threads)
                self._others[name] = StoredEmbedder(encoder, self._home, late=self._late)
            return self._others[name]
