"""HTML pages: templates are rendered here, with everything escaped, and expected errors get a page too."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Coroutine
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ab_testing.api import ExperimentReport, MetricEvidence
from console.charts import draw_course, draw_forest
from console.interval import draw_interval
from foundation.errors import ClickloopError

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = Path(__file__).parent / "static" / "report.css"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_ALONE = "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
"""What a page may load that stands alone: its own style."""

_NOTHING = "\N{EN DASH}"


class PageTemplates:
    """Renders the templates; the release of clickloop stands at the foot of every page."""

    def __init__(self, release: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        filters = {
            "moment": format_moment,
            "share": format_share,
            "signed": format_signed,
            "figure": format_figure,
            "value": format_value,
        }
        self._environment.filters |= filters
        self._environment.globals |= {"release": release, "draw_interval": draw_interval}
        self._environment.globals |= {"draw_course": draw_course, "draw_forest": draw_forest, "finding": tell_finding}

    def show(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page; it may load nothing from elsewhere and run no script but the console's own."""
        html = self._environment.get_template(template).render(**values)
        return HTMLResponse(html, status_code=status, headers=_HEADERS)

    def show_report(self, report: ExperimentReport) -> HTMLResponse:
        """Return the page of a report, which holds all that it needs: it may be kept, sent and opened anywhere."""
        style = _STYLE.read_text(encoding="utf-8")
        policy = _ALONE.format(digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode())
        html = self._environment.get_template("report.html").render(
            report=report,
            card=report.scorecard,
            policy=policy,
            style=style,
        )
        headers = {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'", "Vary": "Accept"}
        return HTMLResponse(html, headers=_HEADERS | headers)


def route_class(pages: PageTemplates) -> type[APIRoute]:
    """Return routes that answer an expected error with a page instead of a problem document."""

    class PageRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    return await handle(request)
                except ClickloopError as problem:
                    return _show_problem(pages, problem.status, problem.detail)
                except RequestValidationError as problem:
                    faults = [f"{fault['loc'][-1]}: {fault['msg']}" for fault in problem.errors()]
                    return _show_problem(pages, HTTPStatus.UNPROCESSABLE_ENTITY.value, "; ".join(faults))

            return answer

    return PageRoute


def format_moment(at: datetime | None) -> str:
    """Return a moment to the minute, in UTC."""
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else _NOTHING


def format_share(value: float | None, places: int = 1) -> str:
    """Return a share as a percentage."""
    return _NOTHING if value is None else f"{value:.{places}%}"


def format_signed(value: float | None, places: int = 4) -> str:
    """Return a number with its sign."""
    return _NOTHING if value is None else f"{value:+.{places}f}"


def format_figure(value: float | None) -> str:
    """Return a number of any size to four digits."""
    return _NOTHING if value is None else f"{value:.4g}"


def format_value(value: Any) -> str:
    """Return a value of a report as people read it."""
    if value is None or value == "":
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {format_value(one)}" for name, one in value.items())
    return str(value)


def tell_finding(one: MetricEvidence) -> str:
    """Return what a comparison says, in a word or a few."""
    if not one.measured:
        return "not measured"
    if one.harmful:
        return "harm"
    if one.superior or one.inferior:
        return "better" if one.superior else "worse"
    if one.role == "guardrail":
        return f"not worse by {one.margin}" if one.non_inferior else "not yet ruled out"
    return "nothing proven"


def _show_problem(pages: PageTemplates, status: int, detail: str) -> HTMLResponse:
    return pages.show("problem.html", status, title=HTTPStatus(status).phrase, detail=detail)
