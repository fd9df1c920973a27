"""Lets in requests with a key that allows them, wherever the client puts it."""

from __future__ import annotations

import asyncio
import base64
import binascii

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from foundation.access.keys import Key, Keys
from foundation.clock import monotonic_s
from foundation.errors import ClickloopError, Forbidden, NotReady, Overloaded, StoreAway, Unauthenticated
from foundation.telemetry.logs import get_log
from foundation.web.problems import Refusals, refuse
from foundation.web.requests import COLLECTION_HEADER, COLLECTION_PARAMETER, KEY_SCOPE
from foundation.web.routes.paths import PathMap, PathSet

OPEN = frozenset({"/healthz", "/readyz", "/client.js", "/search.js"})
"""Paths that need no key."""
ALGOLIA_SEARCHES = frozenset(
    {"/1/indexes/*/queries", "/1/indexes/{index}/query", "/1/indexes/{index}/facets/{facet}/query"}
)
"""Paths that clients of Algolia search by."""
FOR_APPS = PathSet(
    {"/v1/search", "/v1/rank", "/v1/context", "/v1/suggest", "/v1/assignments", "/v1/events"}
    | {"/ubi_queries", "/ubi_events", "/feedback", "/1/events", "/events"}
    | {"/rank/{model}"}
    | ALGOLIA_SEARCHES
)
"""Paths that a key of role "app" opens; others need "admin"."""

_IN_QUERY = PathMap(
    [("/v1/events", "key"), *((path, "x-algolia-api-key") for path in ("/1/events", *sorted(ALGOLIA_SEARCHES)))]
)
"""Parameter that holds the key where beacons come, which can set no header, and where Algolia's clients put it."""
_PAGES = "/console"
_REFRESH_LIMIT_S = 0.25
_ASK_AGAIN_S = 1.0
"""Pause after a refresh that failed or was late; meanwhile the keys known before still open."""

_log = get_log("keys")
_CHALLENGES = {True: 'Basic realm="clickloop", charset="UTF-8"', False: 'Bearer realm="clickloop"'}


class KeyGate:
    """ASGI middleware that refuses requests without a key that allows them, before their bodies are read.

    Args:
        refusals: By path, how a refusal looks there; problem documents elsewhere.
    """

    def __init__(self, app: ASGIApp, keys: Keys, refusals: Refusals) -> None:
        self._app = app
        self._keys = keys
        self._refusals = refusals
        self._refreshing: asyncio.Task[None] | None = None
        self._ask_again_at_s = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its key in the scope, or answer 401 or 403."""
        if scope["type"] != "http" or scope["path"] in OPEN or scope["method"] == "OPTIONS":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            scope[KEY_SCOPE] = await self._admit(request)
        except ClickloopError as problem:
            await self._refuse(problem, request)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _admit(self, request: Request) -> Key:
        token = _token_of(request)
        if not token:
            reason = (
                "the key that a browser remembers does not count here" if _is_basic(request) else "a key is asked for"
            )
            raise Unauthenticated(f"{reason}: send one as `Authorization: Bearer KEY`")
        await self._refresh(token)
        key = self._keys.find(token)
        if key is None and self._keys.stale:
            raise NotReady("keys cannot be checked now; send the request again")
        if key is None:
            raise Unauthenticated("the key is not known here; `clickloop keys add` makes one")
        _check_scope(request, key)
        return key

    async def _refresh(self, token: str) -> None:
        """Read the keys again when they are old. While the database is away, those known before still open.

        Then only one request a second, or one with an unknown key, waits for the database.
        """
        waits_already = monotonic_s() < self._ask_again_at_s and self._keys.find(token)
        if waits_already or not self._keys.stale:
            return
        if self._ask_again_at_s:  # it was away: others need not wait for the same answer
            self._ask_again_at_s = monotonic_s() + _REFRESH_LIMIT_S + _ASK_AGAIN_S
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(run_in_threadpool(self._keys.refresh))
            self._refreshing.add_done_callback(_take_in)
        done, _ = await asyncio.wait([self._refreshing], timeout=_REFRESH_LIMIT_S)
        self._ask_again_at_s = monotonic_s() + _ASK_AGAIN_S if self._keys.stale else 0.0
        for reading in done:
            if problem := _fault_of(reading):
                raise problem

    def _refuse(self, problem: ClickloopError, request: Request) -> Response:
        path = request.url.path
        response = refuse(problem, path, self._refusals)
        if problem.status == Unauthenticated.status:
            response.headers["WWW-Authenticate"] = _CHALLENGES[path.startswith(_PAGES)]
        return response


def _fault_of(reading: asyncio.Task[None]) -> BaseException | None:
    """Return what a reading of the keys ended with, None where it went well or the database was away or busy."""
    problem = None if reading.cancelled() else reading.exception()
    return None if isinstance(problem, StoreAway | Overloaded) else problem


def _take_in(reading: asyncio.Task[None]) -> None:
    """Log how a reading of the keys ended, for nobody may wait for it any more."""
    if problem := _fault_of(reading):
        _log.error("keys could not be read", exc_info=problem)


def _token_of(request: Request) -> str:
    """Return the key that a request carries, "" without one: in a header first, then in the query string.

    HTTP Basic does not count on the apps' routes: browsers remember it and add it to what any page sends.
    """
    headers = request.headers
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() == "basic" and request.url.path not in FOR_APPS:
        return _password(given.strip())
    in_query = _IN_QUERY.get(request.url.path) or ""
    parameters = {name.lower(): value for name, value in request.query_params.items()} if in_query else {}
    return headers.get("x-api-key") or headers.get("x-algolia-api-key") or parameters.get(in_query, "")


def _is_basic(request: Request) -> bool:
    return request.headers.get("authorization", "").lower().startswith("basic ")


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _check_scope(request: Request, key: Key) -> None:
    """Raise Forbidden where a known key does not reach: other collections, and what its role may not do."""
    named = request.headers.get(COLLECTION_HEADER, request.query_params.get(COLLECTION_PARAMETER))
    if named is not None and named != key.collection:
        raise Forbidden(f"the key {key.name!r} is for collection {key.collection!r}; leave {COLLECTION_HEADER} out")
    if key.role != "admin" and request.url.path not in FOR_APPS:
        raise Forbidden(f"the key {key.name!r} has the role {key.role!r}, which searches and sends events only")
