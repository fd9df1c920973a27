"""Brings documents, evidence and snapshots of every collection into memory."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from collector.api import read_changed
from foundation.clock import Clock, monotonic_s
from foundation.errors import Overloaded, StoreAway
from foundation.sections import EvidenceSettings
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import DOCUMENTS, WAITING
from serving.catalog.changes import ChangeCounts
from serving.catalog.declarations import Declarations, Declared
from serving.catalog.store import Catalog
from serving.encode.embedder import StoredEmbedder
from serving.index.corpus import Corpus, Embedder
from serving.index.fields.table import FieldSummary
from serving.index.fields.values import FieldType
from serving.index.space import Space
from serving.live.collection_state import CollectionState
from serving.live.failures import Failures
from serving.live.spaces import Spaces
from serving.rules.loading import LoadedRelevance

_CHANGES_AT_ONCE = 1000
_EMBEDDED_AT_ONCE = 64
_log = get_log("content")


class Content:
    """The collections of one replica. One thread follows; requests read."""

    def __init__(
        self,
        *,
        engine: sa.Engine,
        catalog: Catalog,
        declarations: Declarations,
        relevance: LoadedRelevance,
        spaces: Spaces,
        settings: EvidenceSettings,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._catalog = catalog
        self._declarations = declarations
        self.relevance = relevance
        self._snapshots = spaces.snapshots
        self._builds = spaces.builds
        self.spaces = spaces
        self._settings = settings
        self._clock = clock
        self.served: dict[str, CollectionState] = {}
        self._declared: dict[str, Mapping[str, Declared]] = {}
        self._fields_followed: dict[str, int | None] = {}
        self._evidence_followed: dict[str, int] = {}
        self._relevance_followed: dict[str, int] = {}
        self._failures = Failures()

    def follow(self, seen: ChangeCounts, embedding_limit_s: float) -> bool:
        """Take in what changed in every collection, and return whether documents still wait to be embedded.

        Evidence without documents is of lists that other engines found; those are ordered here all the same.
        Words of documents can be searched when this returns. Their meaning is searchable for as many documents as
        are embedded within the limit; one batch of every collection always is.

        Args:
            seen: How far everything is; what has not changed is not read.
        """
        until = monotonic_s() + embedding_limit_s
        waiting = False
        for name in sorted({*self._catalog.learn(seen.documents), *seen.evidence}):
            if self._failures.is_due(name):
                waiting |= self._try(name, seen, until)
        return waiting

    def problems(self) -> dict[str, str]:
        """Return why a collection is not followed, by the name of each that cannot be now. Never blocks."""
        return self._failures.problems()

    @property
    def embedder(self) -> StoredEmbedder:
        """What makes vectors."""
        return self._snapshots.embedder

    def names(self) -> list[str]:
        """Return the collections that have ever held a document, in memory or not, as far as this process knows."""
        return self._catalog.known_collections()

    def behind(self, name: str) -> int:
        """Return how many changes of the catalog, as far as this process knows it, a collection in memory lacks."""
        return max(0, self._catalog.known_change(name) - self.served[name].corpus.change)

    def corpus_of(self, name: str) -> Corpus | None:
        """Return the documents of a collection, None while none are in memory."""
        served = self.served.get(name)
        return served.corpus if served else None

    def describe_fields(self, name: str) -> dict[str, FieldSummary]:
        """Return what the living documents of a collection hold by field; nothing while none are in memory."""
        served = self.served.get(name)
        if served is None:
            return {}
        corpus = served.corpus
        return corpus.fields.summary(corpus.columns.alive[: corpus.fields.rows])

    def types_of(self, name: str) -> dict[str, FieldType]:
        """Return the fields of a collection with their types: as they were met, or as they were declared."""
        declared = {field: one.type for field, one in self._declarations.of(name).items()}
        served = self.served.get(name)
        return {**(served.corpus.fields.types if served else {}), **declared}

    def close(self) -> None:
        """End the builds under way and remove what only this process used; nothing serves any more."""
        self._builds.stop()
        self._snapshots.clear()

    def tombstone(self, name: str, document_ids: list[str]) -> None:
        """Take documents out of every later answer of this replica at once. Never blocks."""
        served = self.served.get(name)
        for space in served.snapshot.spaces.values() if served is not None else ():
            space.corpus.tombstone(document_ids)

    def _try(self, name: str, seen: ChangeCounts, until: float) -> bool:
        """Follow one collection; its failure is logged and kept, and the others are followed all the same."""
        try:
            waiting = self._follow_one(name, seen, until)
        except (StoreAway, Overloaded):
            raise  # the same for all, and logged by the store itself
        except Exception as problem:  # noqa: BLE001  any failure of one collection leaves the others alone
            reason = str(problem) or repr(problem)
            if reason != self._failures.problem(name):
                _log.exception("collection_not_followed", collection=name, problem=reason)
            self._failures.note(name, reason)
            return False
        self._failures.forget(name)
        return waiting

    def _follow_one(self, name: str, seen: ChangeCounts, until: float) -> bool:
        self._follow_fields(name, seen)
        served = self.served.get(name) or self._open(name, seen)
        self._follow_relevance(name, served, seen)
        waiting = self._follow_spaces(name, served, seen, until)
        self._follow_evidence(name, served, seen)
        return waiting

    def _follow_spaces(self, name: str, served: CollectionState, seen: ChangeCounts, until: float) -> bool:
        """Follow the documents under every encoder that serves, then under those that are to."""
        waiting = False
        for space in list(served.snapshot.spaces.values()):
            corpus = self._follow_snapshot(name, served, space, seen)
            waiting |= self._follow_documents(name, corpus, space.embedder, seen, until)
            self._builds.start_if_due(name, space.store, rows=corpus.size, delta=corpus.delta)
        DOCUMENTS.labels(name).set(len(served.corpus))
        WAITING.labels(name).set(served.corpus.waiting)
        self.spaces.close_unused(name, served)

        def follow(collection: str, corpus: Corpus, embedder: Embedder) -> bool:
            return self._follow_documents(collection, corpus, embedder, seen, until)

        return self.spaces.prepare(name, served, follow) or waiting

    def _open(self, name: str, seen: ChangeCounts) -> CollectionState:
        """Bring a collection into memory; requests see it once its documents can be found by their words."""
        served = CollectionState(Space(self.embedder, self._snapshots, self._snapshots.open(name)))
        self._index(name, served.corpus, seen)
        self.served[name] = served
        return served

    def _follow_fields(self, name: str, seen: ChangeCounts) -> None:
        if name not in self._declared or seen.fields.get(name) != self._fields_followed.get(name):
            self._declared[name] = self._declarations.of(name)
            self._fields_followed[name] = seen.fields.get(name)

    def _follow_relevance(self, name: str, served: CollectionState, seen: ChangeCounts) -> None:
        latest = seen.relevance.get(name, 0)
        if latest != self._relevance_followed.get(name, 0):
            served.follow_relevance(self.relevance.standing(name, served.corpus.lexical))
            self._relevance_followed[name] = latest

    def _follow_snapshot(self, name: str, served: CollectionState, space: Space, seen: ChangeCounts) -> Corpus:
        """Swap to a newer snapshot once it has caught up with the catalog; return the documents that serve."""
        old = space.corpus
        newest = space.store.newest(name)
        if newest is None or newest.change <= (old.snapshot.change if old.snapshot else 0):
            return old
        corpus = space.store.open(name)
        while self._follow_documents(name, corpus, space.embedder, seen, monotonic_s()):
            pass
        served.move_to(corpus, space.encoder)
        space.store.close(name, old)
        _log.info("snapshot_swapped", collection=name, snapshot=newest.id, documents=len(corpus))
        return corpus

    def _index(self, name: str, corpus: Corpus, seen: ChangeCounts) -> None:
        declared = self._declared[name]
        weights = {field: one.weight for field, one in declared.items() if one.weight}
        corpus.declare({field: one.type for field, one in declared.items()}, weights)
        while corpus.change < seen.documents.get(name, 0):
            changes = self._catalog.changes(name, corpus.change, _CHANGES_AT_ONCE)
            if not changes:
                break
            corpus.index(changes)

    def _follow_documents(
        self, name: str, corpus: Corpus, embedder: Embedder, seen: ChangeCounts, until: float
    ) -> bool:
        self._index(name, corpus, seen)
        waiting = corpus.waiting
        while waiting:
            waiting = corpus.embed(embedder, _EMBEDDED_AT_ONCE)
            if monotonic_s() >= until:
                break
        return waiting > 0

    def _follow_evidence(self, name: str, served: CollectionState, seen: ChangeCounts) -> None:
        latest = seen.evidence.get(name, 0)
        if latest == self._evidence_followed.get(name):
            return
        rows, change = read_changed(
            self._engine,
            name,
            since=served.live.change,
            now=self._clock.now(),
            half_life_days=self._settings.evidence_half_life_days,
        )
        if change > served.live.change:
            served.live.update(rows, change)
        self._evidence_followed[name] = latest
