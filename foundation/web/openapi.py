"""Completes the OpenAPI page by the answers of the middleware that stands before every route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from foundation import errors
from foundation.errors import ClickloopError
from foundation.web.problems import PROBLEM_SCHEMA, PROBLEM_TYPE

_ANYWHERE = (
    errors.MalformedRequest,
    errors.Unauthenticated,
    errors.Forbidden,
    errors.Misdirected,
    errors.RequestTimeout,
    errors.HeadersTooLarge,
    ClickloopError,
)
_WITH_BODY = (errors.BodyTooLarge, errors.UnsupportedMediaType, errors.Overloaded)


def document_edge(app: FastAPI) -> None:
    """Let `app`'s page name the problems of its edge on each route, where the route does not name their status."""
    app.openapi = _completed(app.openapi)  # type: ignore[method-assign]  # FastAPI's documented way to change the page


def _completed(describe: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    def page() -> dict[str, Any]:
        described = describe()
        components = described.setdefault("components", {})
        components.setdefault("schemas", {}).setdefault("Problem", PROBLEM_SCHEMA)
        components["responses"] = {one.__name__: _answer(one) for one in (*_ANYWHERE, *_WITH_BODY, errors.NotFound)}
        for path, operations in described["paths"].items():
            for operation in operations.values():
                _complete(operation, named="{" in path)
        return described

    return page


def _complete(operation: dict[str, Any], *, named: bool) -> None:
    """Name the edge's answers to an operation; where the address names a thing, no thing may have that name."""
    with_body = _WITH_BODY if "requestBody" in operation else ()
    for one in (*_ANYWHERE, *with_body, *((errors.NotFound,) if named else ())):
        reference = {"$ref": f"#/components/responses/{one.__name__}"}
        operation["responses"].setdefault(str(one.status), reference)


def _answer(kind: type[ClickloopError]) -> dict[str, Any]:
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": kind("").title, "content": content}
