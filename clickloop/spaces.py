"""The documents of a collection in memory, for processes that learn or compare."""

from __future__ import annotations

from collections.abc import Callable

from clickloop.container import Container
from foundation.clock import monotonic_s
from foundation.contracts import Manifest
from serving.index.space import Space

_CHANGES_AT_ONCE = 512


class CatalogSpaces:
    """The documents of a collection by encoder, as a process reads them that does not answer searches.

    Args:
        progress: Told what is embedded.
    """

    def __init__(self, container: Container, collection: str, progress: Callable[[str], None]) -> None:
        self._container = container
        self._collection = collection
        self._progress = progress
        self._open: dict[str, Space] = {}

    def open(self, manifest: Manifest) -> Space:
        """Return the space of a version's encoder, with every change of the catalog until now."""
        if manifest.encoder not in self._open:
            self._open[manifest.encoder] = self._read(manifest)
        return self._open[manifest.encoder]

    def _read(self, manifest: Manifest) -> Space:
        container, name = self._container, self._collection
        embedder = container.encoders.of(manifest, container.registry.artifacts.get)
        own = embedder is container.embedder
        store = container.snapshots if own else container.snapshots.under(embedder, manifest.encoder_form)
        corpus = store.open(name)
        began_s, done = monotonic_s(), 0
        while changes := container.catalog.changes(name, corpus.change, _CHANGES_AT_ONCE):
            corpus.apply(changes, embedder)
            done += len(changes)
            rate = done / max(monotonic_s() - began_s, 1e-9)
            self._progress(f"embedding documents: {done} changes taken in, {rate:.0f} a second")
        return Space(embedder, store, corpus)
