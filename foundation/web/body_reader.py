"""Reads the body of a request whole, within limits of size and of time, before the request holds anything shared."""

from __future__ import annotations

import asyncio
import zlib

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foundation import errors
from foundation.clock import monotonic_s
from foundation.errors import ClickloopError
from foundation.web.draining import Incoming, announces_more
from foundation.web.problems import Refusals, refuse
from foundation.web.requests import too_large

BODY_TIMEOUT_S = 10.0
"""Longest pause of a client within its body, and what a whole body may take beside the time for its bytes."""
SLOWEST_BYTES_PER_S = 16 * 2**10

_SMALL_BYTES = 64 * 2**10
"""So much of each body needs no room: the number of connections is limited, and so many such pieces fit in memory."""
_LARGE_AT_ONCE = 4
"""Bodies of the largest size whose remainders fit in memory at the same time."""
_TIMES_THROWN_AWAY = 8
_PLAIN = frozenset({"", "identity"})
_PACKED = frozenset({"gzip", "x-gzip"})


class BodyReader:
    """ASGI middleware that passes requests on when their bodies are there, unpacked.

    An announced length over the limit is refused at once. Otherwise what comes after the limit is read and thrown away
    before the answer goes out, up to eight times the limit: else many clients would find a broken connection and no
    answer. A client that stops in the middle, or sends very slowly, gets 408.

    Args:
        max_bytes: Longest body, packed and unpacked.
        refusals: By path, how a refusal looks there; problem documents elsewhere.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, refusals: Refusals) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._refusals = refusals
        self._room = _Room(_LARGE_AT_ONCE * max_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body in one piece, or answer 400, 408, 413, 415 or 503."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        incoming = Incoming(scope, receive)
        with _Share(self._room) as share:
            try:
                body = await self._read(scope, incoming, share)
            except ClickloopError as problem:
                await self._refuse(problem, scope, incoming, send)
                return
            await self._app(scope, _replay(body, receive), send)

    async def _read(self, scope: Scope, incoming: Incoming, share: _Share) -> bytes:
        headers = MutableHeaders(scope=scope)
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding not in _PLAIN | _PACKED:
            raise errors.UnsupportedMediaType(
                f"a body packed as {encoding[:40]!r} is not read here; send it plain, or as gzip"
            )
        if announces_more(scope, self._max_bytes):
            raise too_large(self._max_bytes)
        body = await self._collect(incoming, share)
        if encoding in _PACKED:
            body = await run_in_threadpool(unpack, body, self._max_bytes)
            share.hold(len(body))
            del headers["content-encoding"]
            headers["content-length"] = str(len(body))
        return body

    async def _collect(self, incoming: Incoming, share: _Share) -> bytes:
        body, more, began_s = bytearray(), True, monotonic_s()
        while more:
            left_s = BODY_TIMEOUT_S + len(body) / SLOWEST_BYTES_PER_S - (monotonic_s() - began_s)
            try:
                async with asyncio.timeout(min(BODY_TIMEOUT_S, left_s)):
                    message = await incoming.receive()
            except TimeoutError:
                raise errors.RequestTimeout("the body did not come in time; send the request again, whole") from None
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            more = message.get("more_body", False)
            body += message.get("body", b"")
            if len(body) > self._max_bytes:
                raise too_large(self._max_bytes)
            share.hold(len(body))
        return bytes(body)

    async def _refuse(self, problem: ClickloopError, scope: Scope, incoming: Incoming, send: Send) -> None:
        if isinstance(problem, errors.BodyTooLarge):
            await incoming.throw_away(_TIMES_THROWN_AWAY * self._max_bytes)
        response = refuse(problem, scope["path"], self._refusals)
        if isinstance(problem, errors.RequestTimeout):
            response.headers["Connection"] = "close"  # what comes later would be taken for another request
        if isinstance(problem, errors.UnsupportedMediaType):
            response.headers["Accept-Encoding"] = "gzip"
        await response(scope, incoming.receive, send)


class _Room:
    """Memory that bodies share.

    Attributes:
        free: Bytes that none of them has.
    """

    def __init__(self, free: int) -> None:
        self.free = free


class _Share:
    """What one body has of the room, until its request is answered."""

    def __init__(self, room: _Room) -> None:
        self._room = room
        self._held = 0

    def __enter__(self) -> _Share:
        """Begin with nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give all of it back."""
        self._room.free += self._held

    def hold(self, size: int) -> None:
        """Hold what a body of this size needs beyond its free piece; Overloaded when others have the room."""
        more = max(0, size - _SMALL_BYTES - self._held)
        if more > self._room.free:
            raise errors.Overloaded("too many large bodies come in at the same time; send this one again in a second")
        self._room.free -= more
        self._held += more


def unpack(packed: bytes, max_bytes: int) -> bytes:
    """Return what a gzip body holds.

    Raises:
        BodyTooLarge: It holds more than `max_bytes`.
        UnreadableBody: It is no gzip, or not whole.
    """
    reader = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = reader.decompress(packed, max_bytes + 1)
    except zlib.error as problem:
        raise errors.UnreadableBody(f"the body is not gzip, as its Content-Encoding says: {problem}") from problem
    if len(plain) > max_bytes:
        raise too_large(max_bytes)
    if not reader.eof or reader.unused_data:
        raise errors.UnreadableBody("the gzip body is not one whole member; it ends too early, or something follows it")
    return plain


def _has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a receiver that gives the body once, and then what else comes: that the client leaves."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
