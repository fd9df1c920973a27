"""Brings a collection into memory under a further encoder, while the one before serves on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from foundation.clock import monotonic_s
from foundation.contracts import Manifest
from foundation.errors import NotReady
from serving.encode.bridge import Bridge, BridgedEmbedder
from serving.encode.embedder import StoredEmbedder
from serving.encode.encoders import Encoders
from serving.index.builds import Builds
from serving.index.corpus import Corpus, Embedder
from serving.index.snapshot_store import SnapshotStore
from serving.index.space import Space
from serving.live.collection_state import CollectionState

_KEPT_S = 60.0
_BUILD_AGAIN_S = 30.0

FollowDocuments = Callable[[str, Corpus, Embedder], bool]
"""Takes in what changed in a collection, and returns whether documents still wait to be embedded."""


@dataclass(slots=True)
class _Wanted:
    """A space that a version needs.

    Attributes:
        until_s: When it is forgotten, unless it is wanted again.
        build_at_s: When its build may be started, or started again.
        bridge: Leads to it from another encoder, None where the version brings none.
    """

    embedder: StoredEmbedder
    store: SnapshotStore
    until_s: float
    build_at_s: float = 0.0
    corpus: Corpus | None = None
    bridge: Bridge | None = None


class Spaces:
    """The spaces that are prepared. One thread wants them, another one prepares.

    A space is prepared in three steps. A process of its own, shared by all of this machine, embeds every document and
    seals the index. The sealed index is opened, which takes a second. What changed since is taken in. Until then the
    versions that need it do not count as loaded.

    Where a version brings a bridge from an encoder that serves, nobody waits for that: the vectors of that encoder are
    carried over, and the sealed index takes their place when it is there, as any newer one does.
    """

    def __init__(self, encoders: Encoders, snapshots: SnapshotStore, builds: Builds) -> None:
        self.encoders = encoders
        self.snapshots = snapshots
        self.builds = builds
        self._wanted: dict[tuple[str, str], _Wanted] = {}

    def open(
        self, name: str, served: CollectionState, manifest: Manifest, fetch: Callable[[str], bytes]
    ) -> StoredEmbedder:
        """Return the encoder of a version, whose space is there; one that is not is prepared from now on.

        Args:
            fetch: Returns an artifact's bytes by digest; its errors pass through.

        Raises:
            NotReady: The space is being prepared; says how far that is.
            ClickloopError: The version does not carry its encoder.
        """
        embedder = self.encoders.of(manifest, fetch)
        if embedder is self.encoders.own:
            return embedder
        now_s = monotonic_s()
        wanted = self._wanted.get((name, manifest.encoder))
        if wanted is None:
            bridge = Bridge.from_bytes(fetch(manifest.encoder_bridge)) if manifest.encoder_bridge else None
            store = self.snapshots.under(embedder, manifest.encoder_form)
            wanted = _Wanted(embedder, store, now_s + _KEPT_S, bridge=bridge)
            self._wanted[name, manifest.encoder] = wanted
        wanted.until_s = now_s + _KEPT_S
        if manifest.encoder not in served.snapshot.spaces:
            raise NotReady(f"its encoder is new here: {wanted.store.state(name).tell()}")
        return embedder

    def prepare(self, name: str, served: CollectionState, follow: FollowDocuments) -> bool:
        """Go on with the spaces that a collection needs, and return whether documents still wait to be embedded."""
        waiting = False
        for (collection, encoder), wanted in list(self._wanted.items()):
            if collection == name and encoder not in served.snapshot.spaces:
                waiting |= self._prepare(name, served, wanted, follow)
        return waiting

    def close_unused(self, name: str, served: CollectionState) -> None:
        """Drop what no version needs any more; its index and its vectors stay on disk."""
        now_s = monotonic_s()
        for (collection, encoder), wanted in list(self._wanted.items()):
            if collection != name or now_s < wanted.until_s or served.uses(encoder):
                continue
            del self._wanted[name, encoder]
            corpus = served.close(encoder) or wanted.corpus
            if corpus is not None:
                wanted.store.close(name, corpus)

    def _prepare(self, name: str, served: CollectionState, wanted: _Wanted, follow: FollowDocuments) -> bool:
        if wanted.corpus is None:
            if len(served.corpus) and wanted.store.newest(name) is None:
                self._build(name, wanted)
                if not _can_cross(wanted, served):
                    return False
            wanted.corpus = wanted.store.open(name)
        if follow(name, wanted.corpus, _embedder(wanted, served)):
            return True
        served.open(Space(wanted.embedder, wanted.store, wanted.corpus))
        wanted.corpus = None
        return False

    def _build(self, name: str, wanted: _Wanted) -> None:
        """Have the index built, by whichever process; one that ended early is started again after a while."""
        now_s = monotonic_s()
        if now_s >= wanted.build_at_s:
            wanted.build_at_s = now_s + _BUILD_AGAIN_S
            self.builds.start_for(name, wanted.store)


def _can_cross(wanted: _Wanted, served: CollectionState) -> bool:
    """Return whether the bridge begins at an encoder that has embedded all documents here."""
    space = served.snapshot.spaces.get(wanted.bridge.source) if wanted.bridge else None
    return space is not None and not space.corpus.waiting


def _embedder(wanted: _Wanted, served: CollectionState) -> Embedder:
    """Return what embeds the documents of a space that is prepared: by the bridge where that can be crossed."""
    if wanted.bridge is None or not _can_cross(wanted, served):
        return wanted.embedder
    return BridgedEmbedder(wanted.bridge, served.snapshot.spaces[wanted.bridge.source].embedder, wanted.embedder)
