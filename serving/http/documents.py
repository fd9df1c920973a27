"""The HTTP routes of the catalog: `/v1/documents`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from foundation.contracts import Document
from foundation.errors import FieldFault, InvalidRequest, NotFound
from foundation.sections import IntakeSettings
from foundation.texts import as_id
from foundation.web.bodies import Entry, read_entries
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection, read_body
from serving.catalog.store import Catalog
from serving.catalog.submission import MAX_ID_CHARACTERS, MAX_URL_CHARACTERS, read_document, read_id

DocumentId = Annotated[str, Path(description="The document's id; it may hold slashes.", examples=["help/start"])]
Status = Literal["created", "updated", "unchanged", "deleted", "absent", "refused"]
Changed = Callable[[str, list[str]], None]
Faults = tuple[FieldFault, ...]
_Good = TypeVar("_Good", Document, str, dict[str, Any])


class FaultOut(BaseModel):
    """One thing wrong with one field."""

    field: str = Field(description="Dotted path of the field.", examples=["title"])
    reason: str = Field(description="What is wrong with it.", examples=["must be a string"])


class VerdictOut(BaseModel):
    """What became of one entry of the request."""

    index: int = Field(description="Its place in the request, from 0.")
    id: str = Field(description='The document\'s id, "" when none could be read.')
    status: Status
    fields: list[FaultOut] = Field(description="Why it was refused, by field; else empty.")


class BatchOut(BaseModel):
    """What became of a batch; good entries are kept whatever their neighbours are."""

    accepted: int = Field(description="Entries that took effect or needed none.")
    refused: int = Field(description="Entries that were refused.")
    verdicts: list[VerdictOut] = Field(description="One per entry, in the order of the request.")


class DocumentOut(BaseModel):
    """A stored document."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    title: str
    text: str
    url: str
    fields: dict[str, Any] = Field(description="Open JSON fields; filters refer to them by name.")
    change: int = Field(description="Its place in the collection's feed of changes.")


class PageOut(BaseModel):
    """One page of documents, by id."""

    documents: list[DocumentOut]
    next: str | None = Field(description="The next page's `after`; null on the last page.")


_ID_IN: dict[str, Any] = {"type": ["string", "integer"], "minLength": 1, "maxLength": MAX_ID_CHARACTERS}
_ID_TO_DELETE: dict[str, Any] = {
    "description": f"An id: 1 to {MAX_ID_CHARACTERS} characters, or a whole number. Each is judged by itself.",
    "examples": ["help/start"],
}
_TEXT_IN: dict[str, Any] = {
    "type": ["string", "null"],
    "default": "",
    "description": "No control characters but white space; a form feed and a vertical tab are kept as a space.",
}
_DOCUMENT_IN: dict[str, Any] = {
    "title": "DocumentIn",
    "description": "A document to store. Title or text must not be empty. Other keys become open fields.",
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": _ID_IN | {"examples": ["help/start"]},
        "title": _TEXT_IN,
        "text": _TEXT_IN,
        "url": {"type": ["string", "null"], "default": "", "maxLength": MAX_URL_CHARACTERS},
        "fields": {"type": ["object", "null"], "description": "Open JSON fields.", "additionalProperties": True},
    },
    "additionalProperties": True,
}


_PATCH_IN: dict[str, Any] = _DOCUMENT_IN | {
    "title": "PatchIn",
    "description": "What changes of a document. What is not named stays; null takes a property away.",
}
Changes = Annotated[
    dict[str, Any],
    Body(description="Properties by name; null takes one away.", examples=[{"price": 12.5, "sale": None}]),
]


def make_router(catalog: Catalog, settings: IntakeSettings, changed: Changed) -> APIRouter:
    """Return the routes that store, delete and show the documents of `catalog`.

    Args:
        changed: Called at once after a change, with the collection and the ids that were deleted.
    """
    router = APIRouter(prefix="/v1/documents", tags=["documents"])

    async def entries_of(request: Request) -> list[Entry]:
        raw = await read_body(request, settings.max_body_bytes)
        content_type = request.headers.get("content-type", "")
        return await run_in_threadpool(read_entries, raw, content_type, settings.max_batch)

    entries_sent = Depends(entries_of)  # a default value: annotations cannot name what is local

    @router.put("", openapi_extra=_body_of(_DOCUMENT_IN, one=True), responses=problem_responses(400, 413, 422))
    def put_documents(collection: Collection, entries: list[Entry] = entries_sent) -> BatchOut:
        """Store one document, an array or NDJSON lines; each gets its own verdict.

        Storing is idempotent by id. When every document is refused, the answer is a 422 problem
        document that names the fields.
        """

        def store(batch: list[Document]) -> list[Status]:
            statuses: list[Status] = list(catalog.upsert(collection, batch))
            changed(collection, [])
            return statuses

        return _settle(entries, read_document, store)

    _add_patches(router, catalog, entries_sent, changed)

    @router.delete("", openapi_extra=_body_of(_ID_TO_DELETE, one=False), responses=problem_responses(400, 413, 422))
    def delete_documents(collection: Collection, entries: list[Entry] = entries_sent) -> BatchOut:
        """Delete the documents of a JSON array (or NDJSON lines) of ids; each id gets its own verdict."""

        def delete(ids: list[str]) -> list[Status]:
            was_there = catalog.delete(collection, ids)
            changed(collection, ids)
            return ["deleted" if one else "absent" for one in was_there]

        return _settle(entries, read_id, delete)

    @router.get("", responses=problem_responses(422))
    def list_documents(
        collection: Collection,
        after: Annotated[str, Query(max_length=MAX_ID_CHARACTERS, description="Start behind this id.")] = "",
        limit: Annotated[int, Query(ge=1, le=1000, description="Most documents in the answer.")] = 100,
    ) -> PageOut:
        """List the collection's documents by id, page by page."""
        page = catalog.list(collection, _valid_id(after, "after") if after else "", limit + 1)
        return PageOut(
            documents=[DocumentOut.model_validate(document) for document in page[:limit]],
            next=page[limit - 1].id if len(page) > limit else None,
        )

    @router.get("/{id:path}", responses=problem_responses(404, 422))
    def get_document(collection: Collection, id: DocumentId) -> DocumentOut:  # noqa: A002  the URL's own name
        """Show one document."""
        return DocumentOut.model_validate(catalog.get(collection, _valid_id(id, "id")))

    @router.delete("/{id:path}", status_code=204, responses=problem_responses(404, 422))
    def delete_document(collection: Collection, id: DocumentId) -> Response:  # noqa: A002  the URL's own name
        """Delete one document."""
        if not catalog.delete(collection, [_valid_id(id, "id")])[0]:
            raise NotFound(f"collection {collection!r} has no document {id!r}")
        changed(collection, [id])
        return Response(status_code=204)

    return router


def _add_patches(router: APIRouter, catalog: Catalog, entries_sent: Any, changed: Changed) -> None:
    """Add the routes that change some properties of documents."""

    @router.patch("", openapi_extra=_body_of(_PATCH_IN, one=True), responses=problem_responses(400, 413, 422))
    def patch_documents(collection: Collection, entries: list[Entry] = entries_sent) -> BatchOut:
        """Change some properties of one document, an array or NDJSON lines; each gets its own verdict.

        What a patch does not name stays, and null takes a property away.
        """

        def lay_over(patches: list[dict[str, Any]]) -> list[Status | Faults]:
            statuses: list[Status | Faults] = list(
                catalog.patch(collection, [(str(as_id(patch["id"])), patch) for patch in patches])
            )
            changed(collection, [])
            return statuses

        return _settle(entries, _read_patch, lay_over)

    @router.patch("/{id:path}", responses=problem_responses(400, 404, 413, 422))
    def patch_document(collection: Collection, id: DocumentId, patch: Changes) -> DocumentOut:  # noqa: A002  the URL's own name
        """Change some properties of one document; null takes one away."""
        wanted = _valid_id(id, "id")
        (done,) = catalog.patch(collection, [(wanted, patch)])
        if isinstance(done, tuple):
            raise _nothing_kept([done])
        if done == "absent":
            raise NotFound(f"collection {collection!r} has no document {wanted!r}")
        changed(collection, [])
        return DocumentOut.model_validate(catalog.get(collection, wanted))


def _settle(
    entries: list[Entry],
    read: Callable[[Any], _Good | tuple[FieldFault, ...]],
    act: Callable[[list[_Good]], Sequence[Status | Faults]],
) -> BatchOut:
    """Read every entry, act on the good ones at once, and report on each.

    Raises:
        InvalidRequest: There are entries, and none is good.
    """
    items = [(entry.fault,) if entry.fault else read(entry.value) for entry in entries]
    good = [item for item in items if not isinstance(item, tuple)]
    if items and not good:
        raise _nothing_kept([item for item in items if isinstance(item, tuple)])
    statuses = iter(act(good))
    done = [item if isinstance(item, tuple) else next(statuses) for item in items]
    refusals = [one for one in done if isinstance(one, tuple)]
    if items and len(refusals) == len(items):
        raise _nothing_kept(refusals)
    verdicts = [
        _verdict(entry, "refused", one) if isinstance(one, tuple) else _verdict(entry, one)
        for entry, one in zip(entries, done, strict=True)
    ]
    return BatchOut(accepted=len(items) - len(refusals), refused=len(refusals), verdicts=verdicts)


def _nothing_kept(refusals: list[tuple[FieldFault, ...]]) -> InvalidRequest:
    prefixes = [""] if len(refusals) == 1 else [f"{index}." for index in range(len(refusals))]
    faults = tuple(
        FieldFault(prefix + fault.field, fault.reason)
        for prefix, refusal in zip(prefixes, refusals, strict=True)
        for fault in refusal
    )
    return InvalidRequest(f"nothing was kept: {faults[0].field} {faults[0].reason}", faults)


def _verdict(entry: Entry, status: Status, faults: tuple[FieldFault, ...] = ()) -> VerdictOut:
    claimed = as_id(entry.value.get("id") if isinstance(entry.value, dict) else entry.value)
    return VerdictOut(
        index=entry.index,
        id=claimed[:MAX_ID_CHARACTERS] if isinstance(claimed, str) else "",
        status=status,
        fields=[FaultOut(field=fault.field, reason=fault.reason) for fault in faults],
    )


def _read_patch(value: Any) -> dict[str, Any] | Faults:
    """Return a patch of a document, or why it is none."""
    if not isinstance(value, dict):
        return (FieldFault("document", "must be a JSON object with an id and what changes"),)
    id_ = read_id(value.get("id"))
    return id_ if isinstance(id_, tuple) else value


def _valid_id(value: str, name: str) -> str:
    id_ = read_id(value)
    if isinstance(id_, str):
        return id_
    raise InvalidRequest(f"{name} {id_[0].reason}", (FieldFault(name, id_[0].reason),))


def _body_of(item: dict[str, Any], *, one: bool) -> dict[str, Any]:
    """Return the OpenAPI of a request body with items of one schema."""
    array = {"type": "array", "items": item}
    content = {
        "application/json": {"schema": {"oneOf": [item, array]} if one else array},
        "application/x-ndjson": {"schema": {"type": "string", "description": "One JSON value a line."}},
    }
    return {"requestBody": {"required": True, "content": content}}
