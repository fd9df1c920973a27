"""Counts and times requests under the template of their route."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foundation.clock import monotonic_s
from foundation.telemetry.metrics import REQUEST_SECONDS, REQUESTS

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


UNROUTED = "(none)"


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
    route = _route(scope)
    method = scope["method"] if scope["method"] in _METHODS else "OTHER"
    REQUESTS.labels(route, method, str(status)).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)


def _route(scope: Scope) -> str:
    """Return the template of a request's route, of one refused on its way too; the path itself may name a person."""
    route = scope.get("route")
    if route is None and "app" in scope:
        route = _route_at(scope)
    return str(getattr(route, "path", UNROUTED))


def _route_at(scope: Scope) -> BaseRoute | None:
    """Return the route of a request's path, whether it takes the request's method or not."""
    return next((one for one in _flat(scope["app"].routes) if one.matches(dict(scope))[0] is not Match.NONE), None)


def _flat(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """Yield routes and those of included routers, in the order in which they are looked for."""
    for one in routes:
        included = getattr(one, "original_router", None)
        yield from _flat(included.routes) if included else (one,)
