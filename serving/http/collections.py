"""The HTTP routes of collections: `/v1/collections`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from foundation.contracts import COLLECTION_NAME
from foundation.errors import Forbidden, NotFound
from foundation.web.problems import problem_responses
from foundation.web.requests import actor_of, key_of
from serving.catalog.declarations import Declarations
from serving.catalog.store import Catalog
from serving.rules.store import RelevanceRevisions

Name = Annotated[
    str, Path(pattern=f"^{COLLECTION_NAME.pattern}$", description="The collection's name.", examples=["shop"])
]


class CollectionOut(BaseModel):
    """A collection."""

    name: str
    documents: int = Field(description="Documents in its catalog.")


class CollectionsOut(BaseModel):
    """Every collection that has had a document; with a key, that of the key."""

    collections: list[CollectionOut] = Field(description="By name.")


class DroppedOut(BaseModel):
    """What was dropped."""

    name: str
    documents: int = Field(description="Documents that were deleted.")


def make_router(
    catalog: Catalog,
    declarations: Declarations,
    revisions: RelevanceRevisions,
    changed: Callable[[str, list[str]], None],
) -> APIRouter:
    """Return the routes of collections.

    Args:
        changed: Called at once after a change, with the collection and the ids that were deleted.
    """
    router = APIRouter(prefix="/v1/collections", tags=["documents"])

    @router.get("")
    def list_collections(request: Request) -> CollectionsOut:
        """List the collections with how many documents each has."""
        key = key_of(request)
        names = [name for name in catalog.collections() if key is None or name == key.collection]
        return CollectionsOut(collections=[CollectionOut(name=name, documents=catalog.count(name)) for name in names])

    @router.delete("/{name}", responses=problem_responses(403, 404, 422))
    def drop_collection(request: Request, name: Name) -> DroppedOut:
        """Delete all documents of a collection, and withdraw the declarations of its fields and its relevance settings.

        What was logged, learned and decided stays until its retention ends. A document that is put later begins the
        collection anew.
        """
        key = key_of(request)
        if key is not None and key.collection != name:
            raise Forbidden(f"the key {key.name!r} is for collection {key.collection!r}")
        if name not in catalog.collections():
            raise NotFound(f"there is no collection {name!r}; GET /v1/collections lists what there is")
        gone = catalog.clear(name)
        declared = declarations.of(name)
        if declared:
            declarations.change(name, dict.fromkeys(declared), actor_of(request))
        revisions.withdraw(name, actor=actor_of(request), note="the collection was dropped")
        changed(name, gone)
        return DroppedOut(name=name, documents=len(gone))

    return router
