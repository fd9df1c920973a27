"""Errors leave as RFC 9457 problem documents."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foundation.errors import BodyTooLarge, ClickloopError, FieldFault, InvalidRequest, StoreAway, UnreadableBody
from foundation.telemetry.logs import get_log
from foundation.web.request_metrics import methods_of, route_of
from foundation.web.routes.paths import PathMap

PROBLEM_TYPE = "application/problem+json"
_log = get_log("web")

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "An RFC 9457 problem document; every error has this form.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "errors"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:clickloop:problem:invalid-request"]},
        "title": {"type": "string", "description": "The kind of problem in a few words."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What was wrong with this request, and what to do."},
        "instance": {"type": "string", "description": "Path of the request, with the incident's id after a crash."},
        "errors": {
            "description": "Faults by field; empty when the request as a whole is meant.",
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {
                    "field": {"type": "string", "description": "Dotted path of the field, as the client wrote it."},
                    "reason": {"type": "string", "description": "What is wrong with it."},
                },
            },
        },
    },
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return FastAPI's `responses` that document problem documents for `statuses`."""
    content = {PROBLEM_TYPE: {"schema": PROBLEM_SCHEMA}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


Refusal = Callable[[ClickloopError], Response]
"""How a refusal looks at one path."""


Refusals = PathMap[Refusal]
"""How refusals look by path; problem documents elsewhere."""


def refuse(problem: ClickloopError, path: str, refusals: Refusals) -> Response:
    """Return the answer to a request that is refused: as its path has it, else a problem document."""
    at_path = refusals.get(path)
    return at_path(problem) if at_path else problem_response(problem, path)


def problem_response(error: ClickloopError, instance: str) -> JSONResponse:
    """Return the problem document of `error`, for the request path `instance`."""
    headers = {"Retry-After": str(error.retry_after_s)} if error.retryable else {}
    return _document(error.slug, error.title, error.status, error.detail, instance, error.fields, headers)


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every expected error of `app` with a problem document; `CrashGuard` answers the others."""
    app.add_exception_handler(ClickloopError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(StarletteHTTPException, _answer_http)


class CrashGuard:
    """ASGI middleware that turns an unexpected exception into a log line and a problem document.

    The log line has the traceback; the answer is 500 with an incident id that the line carries too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer for it if it crashes before it answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            return  # nobody is left to answer
        except Exception as problem:
            response = _answer_crash(problem, scope)
            if started:
                raise  # half an answer cannot be taken back; the server closes the connection
            await response(scope, receive, send)


class _ProblemResponse(JSONResponse):
    media_type = PROBLEM_TYPE

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")


def _document(
    slug: str,
    title: str,
    status: int,
    detail: str,
    instance: str,
    faults: tuple[FieldFault, ...] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    content = {
        "type": f"urn:clickloop:problem:{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "errors": [{"field": fault.field, "reason": fault.reason} for fault in faults],
    }
    return _ProblemResponse(content, status_code=status, headers=headers)


async def _answer_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ClickloopError)  # noqa: S101  registered for this type only
    if error.status >= 500 and not isinstance(error, StoreAway):  # the log says that once, not for every request
        _log.error("request failed", route=route_of(request.scope), error=error.slug, detail=error.detail)
    return problem_response(error, request.url.path)


async def _answer_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this type only
    details = error.errors()
    unreadable = next((detail for detail in details if detail["type"] == "json_invalid"), None)
    if unreadable is not None:
        return problem_response(UnreadableBody(_unreadable(unreadable, error.body)), request.url.path)
    faults = tuple(FieldFault(_dotted(one["loc"]), one["msg"].removeprefix("Value error, ")) for one in details)
    summary = "; ".join(f"{fault.field}: {fault.reason}" for fault in faults[:3])
    return problem_response(InvalidRequest(f"the request is not valid: {summary}", faults), request.url.path)


def _unreadable(detail: Any, body: Any) -> str:
    offset = int(detail["loc"][-1])
    text = body if isinstance(body, str) else ""
    line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
    return f"the body is not JSON: {detail['ctx']['error']} (line {line}, column {column})"


def _unparsed(cause: BaseException) -> str:
    """Return why a body of JSON could not be read though its grammar is right, or its bytes are none of text."""
    if isinstance(cause, UnicodeDecodeError):
        return "the body is not UTF-8"
    return "the body is nested too deep" if isinstance(cause, RecursionError) else "the body holds a number too long"


def _dotted(location: tuple[int | str, ...]) -> str:
    """Return where a fault lies; the part of the request it lies in only when it is all of it."""
    return ".".join(str(step) for step in (location[1:] or location))


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)  # noqa: S101  registered for this type only
    if isinstance(error.__cause__, ValueError | RecursionError):  # what FastAPI met in a body beside wrong JSON
        return problem_response(UnreadableBody(_unparsed(error.__cause__)), request.url.path)
    phrase = HTTPStatus(error.status_code).phrase
    slug = phrase.lower().replace(" ", "-")
    title, detail = phrase, str(error.detail)
    if error.status_code == BodyTooLarge.status:
        slug, title = BodyTooLarge.slug, BodyTooLarge("").title
    elif detail == phrase:
        detail = f"{request.method} {request.url.path}: {phrase.lower()}; /docs lists what there is"
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(methods_of(request.scope))
    return _document(slug, title, error.status_code, detail, request.url.path, headers=headers)


def _answer_crash(problem: Exception, scope: Scope) -> JSONResponse:
    incident = str(uuid.uuid4())
    _log.error("request crashed", incident=incident, method=scope["method"], route=route_of(scope), exc_info=problem)
    detail = f"clickloop failed to answer; the log explains it under incident {incident}"
    instance = f"{scope['path']}#{incident}"
    return _document(ClickloopError.slug, "Internal error", ClickloopError.status, detail, instance)
