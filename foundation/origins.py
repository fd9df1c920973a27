"""Which web pages of other origins may use the service from a browser (CORS)."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from foundation.web import COLLECTION_HEADER

_PREFLIGHT_AGE_S = 600


def allow_origins(app: FastAPI, origins: Collection[str], paths: Collection[str]) -> None:
    """Let pages of `origins` POST to `paths` and read the answers; without origins nothing changes.

    Preflights are answered before the application sees them. Errors carry the headers too, so that a
    page can read what was wrong. Cookies are never asked for.
    """
    if origins:
        app.add_middleware(OriginGate, origins=origins, paths=paths)


class OriginGate:
    """ASGI middleware that speaks CORS for some paths and passes on the others."""

    def __init__(self, app: ASGIApp, origins: Collection[str], paths: Collection[str]) -> None:
        self._app = app
        self._paths = frozenset(paths)
        self._open = CORSMiddleware(
            app,
            allow_origins=tuple(origins),
            allow_methods=("POST",),
            allow_headers=("Authorization", COLLECTION_HEADER),
            expose_headers=("Retry-After",),
            max_age=_PREFLIGHT_AGE_S,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, through CORS where the path is open."""
        is_open = scope["type"] == "http" and scope["path"] in self._paths
        await (self._open if is_open else self._app)(scope, receive, send)
