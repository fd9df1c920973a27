"""A collection under one encoder: vectors of different encoders do not mix, so each has an index of its own."""

from __future__ import annotations

from dataclasses import dataclass

from serving.encode.embedder import StoredEmbedder
from serving.index.corpus import Corpus
from serving.index.snapshot_store import SnapshotStore


@dataclass(frozen=True, slots=True)
class Space:
    """The documents of one collection, as one encoder reads them.

    Attributes:
        store: The sealed indexes of this encoder.
    """

    embedder: StoredEmbedder
    store: SnapshotStore
    corpus: Corpus

    @property
    def encoder(self) -> str:
        """The name of the encoder."""
        return self.embedder.encoder.digest
