"""The order of what requests pass: who refuses is counted, and can be read by the pages that may."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.middleware import Middleware
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from foundation.access.keys import Keys
from foundation.errors import Overloaded
from foundation.telemetry.metrics import REQUESTS
from foundation.web.body_reader import BodyReader
from foundation.web.cross_site import SiteGate, Welcome
from foundation.web.key_gate import KeyGate
from foundation.web.middleware import Edge, install_edge
from foundation.web.origins import OriginGate
from foundation.web.problems import CrashGuard, problem_response
from foundation.web.request_metrics import RequestMetrics
from foundation.web.routes.paths import PathSet

HELP = "https://help.example"
TRACED = "X-API-Key, traceparent, tracestate, baggage, sentry-trace, authorization, clickloop-collection, content-type"


class Full:
    """A gate that lets nobody in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await problem_response(Overloaded("full"), scope["path"])(scope, receive, send)


class Crashing(Full):
    """A gate that fails."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError(scope["path"], receive, send)


class NoKeys(Keys):
    """No key is known."""

    def __init__(self) -> None: ...

    @property
    def stale(self) -> bool:
        return False

    def find(self, token: str) -> None:
        assert token


def make_edge(gate: type[Full] = Full, keys: Keys | None = None, welcome: Welcome | None = None) -> Edge:
    return Edge(
        100, origins=[HELP], open_paths=PathSet(["/v1/search"]), welcome=welcome, keys=keys, gates=[Middleware(gate)]
    )


def make_client(edge: Edge) -> TestClient:
    app, router = FastAPI(), APIRouter()
    install_edge(app, edge)

    @router.post("/v1/search")
    def search() -> str:
        return "found"

    app.include_router(router)
    return TestClient(app, raise_server_exceptions=False)


def counted(status: int, method: str = "POST") -> float:
    value: float = REQUESTS.labels("/v1/search", method, str(status))._value.get()
    return value


def ask(client: TestClient, method: str = "POST", **options: Any) -> Any:
    return client.request(method, "/v1/search", headers={"Origin": HELP} | options.pop("headers", {}), **options)


def test_the_order_of_the_edge() -> None:
    order = [str(one.cls) for one in make_edge(keys=NoKeys(), welcome=Welcome()).middleware()]

    gates = (RequestMetrics, OriginGate, CrashGuard, SiteGate, KeyGate, BodyReader, Full)
    assert order == [str(one) for one in gates]


@pytest.mark.parametrize(
    ("edge", "status", "body"),
    [
        (make_edge(), 503, b""),
        (make_edge(), 413, b"a" * 200),
        (make_edge(Crashing), 500, b""),
        (make_edge(keys=NoKeys()), 401, b""),
        (make_edge(welcome=Welcome()), 421, b""),
        (make_edge(welcome=Welcome(frozenset({"testserver"}))), 403, b""),
    ],
)
def test_every_refusal_is_counted_under_its_route_and_readable_to_the_page(
    edge: Edge, status: int, body: bytes
) -> None:
    before = counted(status)
    reply = ask(make_client(edge), content=body)

    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["access-control-allow-origin"] == HELP
    assert counted(status) == before + 1


@pytest.mark.parametrize("edge", [make_edge(), make_edge(Crashing), make_edge(keys=NoKeys())])
def test_a_preflight_is_never_refused(edge: Edge) -> None:
    before = counted(200, "OPTIONS")
    headers = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": TRACED,
        "Access-Control-Request-Private-Network": "true",
        "Clickloop-Collection": "NO COLLECTION",
    }
    reply = ask(make_client(edge), "OPTIONS", headers=headers)

    assert reply.status_code == 200, reply.text
    allowed = {name.strip().lower() for name in reply.headers["access-control-allow-headers"].split(",")}
    assert {name.strip().lower() for name in TRACED.split(",")} <= allowed
    assert counted(200, "OPTIONS") == before + 1
