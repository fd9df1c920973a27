"""HTTP: a script for browsers, of which a minified form is served."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request, Response

from foundation.ids import digest_bytes

_TYPE = "text/javascript; charset=utf-8"
_CACHED = "public, max-age=3600, stale-while-revalidate=86400"


def minified(source: Path) -> Path:
    """Return where the form of a script stands that is served; `make client` writes it."""
    return source.with_suffix(".min.js")


def make_script_router(source: Path, tag: str, told: str) -> APIRouter:
    """Return the route of a script, at its file's name; the script is read once.

    Args:
        source: As it is written; what is served is minified.
        told: What the route gives, for readers of the API.
    """
    script = minified(source).read_bytes()
    headers = {
        "ETag": f'"{digest_bytes(script)[:16]}"',
        "Cache-Control": _CACHED,
        "Access-Control-Allow-Origin": "*",  # pages of any origin may import a module that says nothing secret
        "X-Content-Type-Options": "nosniff",
    }
    router = APIRouter(tags=[tag])

    @router.get(
        f"/{source.name}",
        response_class=Response,
        responses={200: {"content": {"text/javascript": {}}}},
        description=told,
        name=f"give_{source.stem}_script",
    )
    def give_script(request: Request) -> Response:
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(script, media_type=_TYPE, headers=headers)

    return router
