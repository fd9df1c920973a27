"""Loads versions beside those that serve, and verifies each before it serves."""

from __future__ import annotations

from functools import partial
from typing import Literal

from foundation.contracts import Manifest
from foundation.errors import ClickloopError, NotReady
from foundation.registry.registry import Registry
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import SWAPS
from serving.encode.encoder import Encoder
from serving.encode.query import Query
from serving.live.bounded_calls import BoundedCalls
from serving.live.collection_state import CollectionState
from serving.live.spaces import Spaces
from serving.ranking.model import RankingModel, load_model
from serving.ranking.pipeline import Ranker

_ARTIFACT_LIMIT_S = 2.0
_ASKED_LETTERS = 100
_log = get_log("loader")


class Versions:
    """The versions that a replica can load.

    Args:
        spaces: Brings collections into memory under the encoders of versions.
        fusion: Of the baseline.

    Attributes:
        baseline: The untuned version that serves before any promotion.
    """

    def __init__(self, registry: Registry, spaces: Spaces, fusion: Literal["convex", "rrf"]) -> None:
        self._registry = registry
        self._spaces = spaces
        self._calls = BoundedCalls("store of artifacts", _ARTIFACT_LIMIT_S)
        self.baseline = Manifest(encoder=spaces.encoders.own.encoder.digest, fusion=fusion)

    @property
    def reranks(self) -> bool:
        """Whether late interaction can rerank here."""
        return self._spaces.encoders.own.tokens is not None

    def hold(self, name: str, served: CollectionState, version: str) -> bool:
        """Return whether a version is loaded; loads it when it may be tried."""
        if version not in served.rankers and served.failures.is_due(version, partial(self._stamp, name, version)):
            self._load(name, served, version)
        return version in served.rankers

    def _load(self, name: str, served: CollectionState, version: str) -> None:
        stamp = self._stamp(name, version)  # taken before reading: a change meanwhile is tried again
        try:
            model = self._read_model(name, served, version)
            verify(served.rank_by(model), served.snapshot.space_of(model).embedder.encoder)
        except NotReady as waits:
            served.failures.defer(version, waits.detail)
            return
        except Exception as problem:  # noqa: BLE001  any failure of a version leaves the one that serves alone
            reason = str(problem) or repr(problem)
            if reason != served.failures.problem(version):
                _log.error("version_does_not_load", collection=name, version=version, problem=reason)
            served.failures.note(version, reason, stamp)
            SWAPS.labels(name, "failed").inc()
            return
        served.failures.forget(version)
        served.add(version, model)

    def _stamp(self, name: str, version: str) -> tuple[str, ...]:
        """Return what changes when an artifact of a version does, or when the stores can be asked again."""
        if version == self.baseline.id:
            return ()
        try:
            manifest = self._registry.get(name, version).manifest
            learned = (manifest.adapter, manifest.residuals, manifest.memory, manifest.tower, manifest.reranker)
            return tuple(self._stamp_of(digest) for digest in (*learned, manifest.encoder_form) if digest)
        except Exception as problem:  # noqa: BLE001  of any store; loading the version reports it
            return (repr(problem),)

    def _read_model(self, name: str, served: CollectionState, version: str) -> RankingModel:
        manifest = self.baseline if version == self.baseline.id else self._registry.get(name, version).manifest
        embedder = self._spaces.open(name, served, manifest, self._read_artifact)
        return load_model(manifest, self._read_artifact, embedder.embed_queries, embedder.encoder.dimension)

    def _read_artifact(self, digest: str) -> bytes:
        return self._calls.ask(f"get {digest}", partial(self._registry.artifacts.get, digest))

    def _stamp_of(self, digest: str) -> str:
        return self._calls.ask(f"stamp {digest}", partial(self._registry.artifacts.stamp, digest))


def verify(ranker: Ranker, encoder: Encoder) -> None:
    """Rank once before a version serves: warms caches, and fails here instead of in a request.

    Asked is for one of the documents by its own words: they may be far from whatever else could be asked.

    Raises:
        ClickloopError: It finds nothing, or gives scores that are not numbers.
    """
    text = " ".join(f"{one.title} {one.text}"[:_ASKED_LETTERS] for one in ranker.corpus.sample(1)) or "how to start"
    settled = len(ranker.corpus) > 0 and not ranker.corpus.waiting  # before documents are embedded, it may find none
    hits = ranker.search(Query(text, text, encoder.encode_query(text)), 10).hits
    if settled and not hits:
        raise ClickloopError("it finds nothing in a collection that has documents")
    if any(hit.score != hit.score for hit in hits):
        raise ClickloopError("it gives scores that are not numbers")
