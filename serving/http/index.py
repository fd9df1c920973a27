"""HTTP routes about the index itself: which snapshot serves, and building the next."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from foundation.errors import NotFound
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection
from serving.catalog.store import Catalog
from serving.index.builds import Builds
from serving.index.snapshot import digest_content
from serving.index.snapshot_store import SnapshotStore
from serving.index.space import Space
from serving.live.loader import Loader

SAMPLE = 200
"""Documents that are read to tell what the encoder cannot read."""


class SnapshotOut(BaseModel):
    """A sealed index."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    change: int = Field(description="Last change of the catalog it holds.")
    documents: int
    digest: str = Field(description="Of the ids and change numbers it holds, in any order.")


class BuildOut(BaseModel):
    """How a build stands."""

    model_config = ConfigDict(from_attributes=True)

    state: Literal["none", "reading", "sealing", "finished", "interrupted"]
    done: int = Field(description="Changes of the catalog taken in.")
    total: int = Field(description="Changes there are.")


class IndexOut(BaseModel):
    """What this replica searches."""

    snapshot: SnapshotOut | None = Field(description="null while everything is in memory.")
    build: BuildOut
    documents: int
    digest: str = Field(description="Of the ids and change numbers searched now; empty unless asked for.")
    delta: int = Field(description="Rows changed since the snapshot, held in memory.")
    waiting: int = Field(description="Documents found by their words, but not by their meaning yet.")
    behind: int = Field(description="Changes of the catalog not taken in yet.")
    unread: float = Field(description="Share of documents, by a sample, in scripts that the encoder has no words of.")
    generation: SnapshotOut | None = Field(
        description="The same as `snapshot`; gone in the next release.", deprecated=True
    )
    tail: int = Field(description="The same as `delta`; gone in the next release.", deprecated=True)


def make_router(catalog: Catalog, loader: Loader, builds: Builds, snapshots: SnapshotStore) -> APIRouter:
    """Return the routes about the index."""
    router = APIRouter(prefix="/v1/index", tags=["documents"])

    @router.get("", responses=problem_responses(404, 422, 503))
    def show(
        collection: Collection,
        digest: Annotated[bool, Query(description="Add the digest of what is searched now; takes a while.")] = False,
    ) -> IndexOut:
        """Show what is searched, and how the build of the next snapshot stands."""
        snapshot = loader.collection(collection).snapshot
        space = snapshot.space_of(snapshot.rankers[snapshot.champion].model)
        corpus = space.corpus
        built = corpus.snapshot
        serves = SnapshotOut.model_validate(built) if built else None
        return IndexOut(
            snapshot=serves,
            generation=serves,
            build=BuildOut.model_validate(snapshots.state(collection)),
            documents=len(corpus),
            digest=digest_content(corpus.held()) if digest else "",
            delta=corpus.delta,
            tail=corpus.delta,
            waiting=corpus.waiting,
            unread=measure_unread(space),
            behind=catalog.latest_change(collection) - corpus.change,
        )

    @router.post("/builds", status_code=202, responses=problem_responses(404, 409, 422))
    def build(collection: Collection) -> BuildOut:
        """Start building a snapshot in the background; it serves as soon as it is whole."""
        if collection not in catalog.collections():
            raise NotFound(f"collection {collection!r} has no documents; send some with PUT /v1/documents")
        builds.start(collection)
        return BuildOut(state="reading", done=0, total=catalog.latest_change(collection))

    return router


def measure_unread(space: Space) -> float:
    """Return the share of a space's documents that its encoder cannot read, by a sample of at most `SAMPLE`."""
    sample = space.corpus.sample(SAMPLE)
    unread = sum(not space.embedder.can_read(f"{document.title} {document.text}") for document in sample)
    return unread / max(len(sample), 1)
