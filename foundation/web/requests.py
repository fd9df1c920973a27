"""What a route reads from a request: its collection, its key, its body, and who sends it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from foundation.access.actors import LOCAL
from foundation.access.keys import Key
from foundation.contracts import COLLECTION_NAME, DEFAULT_COLLECTION
from foundation.errors import BodyTooLarge, FieldFault, InvalidRequest
from foundation.web.draining import announces_more

COLLECTION_HEADER = "Clickloop-Collection"
COLLECTION_PARAMETER = "collection"
"""Where a client that can set no header, such as a browser's beacon, names the collection."""

KEY_SCOPE = "clickloop.key"
"""Where a request's ASGI scope holds its key."""


async def collection_of(request: Request) -> str:
    """Return the collection a request belongs to; a FastAPI dependency that needs no thread of its own.

    The header names it, else the query parameter, else the request's key.

    Raises:
        InvalidRequest: What names it cannot be a collection's name.
    """
    header = request.headers.get(COLLECTION_HEADER)
    name = request.query_params.get(COLLECTION_PARAMETER) if header is None else header
    if name is None:
        key = key_of(request)
        return key.collection if key else DEFAULT_COLLECTION
    if not COLLECTION_NAME.fullmatch(name):
        place = COLLECTION_PARAMETER if header is None else COLLECTION_HEADER
        reason = "must be 1 to 64 of a-z, 0-9, _ and -, and start with a letter or digit"
        raise InvalidRequest(f"the collection's name, {place}, {reason}", (FieldFault(place, reason),))
    return name


Collection = Annotated[str, Depends(collection_of)]
"""The collection of a request, as an argument of a route."""


def key_of(request: Request) -> Key | None:
    """Return the key that a request was let in by, None where keys are not required."""
    key: Key | None = request.scope.get(KEY_SCOPE)
    return key


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """Return the request's body, holding at most `limit_bytes` of it in memory.

    Raises:
        BodyTooLarge: It is longer; the rest of it is not kept.
    """
    if announces_more(request.scope, limit_bytes):
        raise too_large(limit_bytes)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise too_large(limit_bytes)
    return bytes(body)


def too_large(limit_bytes: int) -> BodyTooLarge:
    """Return the refusal of a body that is longer than a limit."""
    return BodyTooLarge(f"the body is longer than {limit_bytes} bytes; send it in several requests")


def actor_of(request: Request) -> str:
    """Return who sends a request: `key:NAME` of its key, `local` where keys are not required."""
    key = key_of(request)
    return f"key:{key.name}" if key else LOCAL
