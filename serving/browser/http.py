"""HTTP: what pages search with, at `GET /search.js`."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter

from foundation.web.routes.script import make_script_router

SOURCE = Path(__file__).parent / "search.js"


def make_router() -> APIRouter:
    """Return the script's route."""
    return make_script_router(SOURCE, "search", "Give what pages search with, an ES module; 304 when it has this one.")
