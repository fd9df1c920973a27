"""Which web pages of other origins may use the service from a browser (CORS)."""

from __future__ import annotations

from collections.abc import Collection

from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from foundation.web.routes.paths import PathSet

_PREFLIGHT_AGE_S = 600


class OriginGate:
    """ASGI middleware that speaks CORS for some paths and passes on the others; without origins, all.

    Pages of the origins may use them and read the answers, errors too. They may send any header: keys, the
    collection, and what tracing adds by itself, as `traceparent` or `baggage`. Preflights are answered here.
    Cookies are never asked for.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str], paths: PathSet) -> None:
        self._app = app
        self._paths = paths if origins else PathSet()
        self._open = CORSMiddleware(
            app,
            allow_origins=tuple(origins),
            allow_methods=("GET", "POST"),
            allow_headers=("*",),
            allow_private_network=True,
            expose_headers=("Retry-After",),
            max_age=_PREFLIGHT_AGE_S,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, through CORS where the path is open."""
        is_open = scope["type"] == "http" and scope["path"] in self._paths
        await (self._open if is_open else self._app)(scope, receive, send)
