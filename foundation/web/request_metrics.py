"""Counts and times requests under the template of their route, and finds that route."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foundation.clock import monotonic_s
from foundation.telemetry.metrics import REQUEST_SECONDS, REQUESTS

UNROUTED = "(none)"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics:
    """ASGI middleware that counts and times requests under the template of their route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and record how it ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0
        begin = monotonic_s()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            _record(scope, status, monotonic_s() - begin)


def _record(scope: Scope, status: int, seconds: float) -> None:
    route = route_of(scope)
    method = scope["method"] if scope["method"] in _METHODS else "OTHER"
    REQUESTS.labels(route, method, str(status)).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)


def route_of(scope: Scope) -> str:
    """Return the template of a request's route, whether it takes the method or not; the path may name a person."""
    route = scope.get("route")
    if route is None and "app" in scope:
        route = next(_reached(scope), None)
    return str(getattr(route, "path", UNROUTED))


def methods_of(scope: Scope) -> list[str]:
    """Return the methods that all routes of a path take together; each route knows only its own.

    A path that a route names letter by letter is that route's, though another takes any word in its place.
    """
    reached = list(_reached(scope))
    paths = [getattr(one, "path", None) for one in reached]
    path = scope["path"] if scope["path"] in paths else paths[0]
    same = [one for one, its in zip(reached, paths, strict=True) if its == path]
    told = [one for one in same if getattr(one, "include_in_schema", False)]  # others only refuse, beside those
    return sorted({method for one in told or same for method in getattr(one, "methods", None) or ()})


def _reached(scope: Scope) -> Iterator[BaseRoute]:
    return (one for one in _flat(scope["app"].routes) if one.matches(dict(scope))[0] is not Match.NONE)


def _flat(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """Yield routes and those of included routers, in the order in which they are looked for."""
    for one in routes:
        included = getattr(one, "original_router", None)
        yield from _flat(included.routes) if included else (one,)
