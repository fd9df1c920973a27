"""HTTP: the browser's client, at `GET /client.js`.

Its source is `client.js`; what is served is `client.min.js`, which `make client` makes of it.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request, Response

from foundation.ids import digest_bytes

SOURCE = Path(__file__).parent / "client.js"
SERVED = SOURCE.with_suffix(".min.js")

_TYPE = "text/javascript; charset=utf-8"
_CACHED = "public, max-age=3600, stale-while-revalidate=86400"


def make_router() -> APIRouter:
    """Return the script's route; the script is read once."""
    script = SERVED.read_bytes()
    headers = {
        "ETag": f'"{digest_bytes(script)[:16]}"',
        "Cache-Control": _CACHED,
        "Access-Control-Allow-Origin": "*",  # pages of any origin may import a module that says nothing secret
        "X-Content-Type-Options": "nosniff",
    }
    router = APIRouter(tags=["feedback"])

    @router.get("/client.js", response_class=Response, responses={200: {"content": {"text/javascript": {}}}})
    def give_client_script(request: Request) -> Response:
        """Give the browser's client, an ES module; 304 when the browser has this one."""
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(script, media_type=_TYPE, headers=headers)

    return router
