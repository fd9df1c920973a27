"""What a route answers, written in the thread that made it."""

from __future__ import annotations

from fastapi import Response
from pydantic import BaseModel


def write_answer(answer: BaseModel) -> Response:
    """Return an answer as JSON.

    For routes that are asked often: what FastAPI gets as a model it validates a second time, in another thread, and
    writes on the event loop, where all other requests wait.
    """
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")
