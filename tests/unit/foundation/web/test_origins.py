"""What web pages of other origins may do, as a browser asks and as it is answered."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from foundation.errors import NotReady
from foundation.web.middleware import Edge, install_edge
from foundation.web.routes.paths import PathSet

HELP = "https://help.example"


def make_client(*origins: str) -> TestClient:
    app = FastAPI()
    install_edge(app, Edge(1000, origins=origins, open_paths=PathSet(["/v1/events", "/v1/later"])))

    @app.post("/v1/events")
    def take() -> str:
        return "taken"

    @app.post("/v1/later")
    def fail() -> None:
        raise NotReady("not yet")

    @app.post("/v1/versions")
    def closed() -> str:
        return "for the operator"

    return TestClient(app)


def preflight(client: TestClient, path: str, origin: str, headers: str = "content-type") -> Any:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": headers}
    return client.options(path, headers={"Origin": origin} | asked)


def test_an_allowed_page_may_send_json_and_name_its_collection() -> None:
    reply = preflight(make_client(HELP), "/v1/events", HELP, "content-type,clickloop-collection,authorization")
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == HELP
    assert "POST" in reply.headers["access-control-allow-methods"]


def test_an_allowed_page_may_read_answers_and_errors() -> None:
    client = make_client(HELP)
    assert client.post("/v1/events", headers={"Origin": HELP}).headers["access-control-allow-origin"] == HELP
    refused = client.post("/v1/later", headers={"Origin": HELP})
    assert refused.status_code == 503
    assert refused.headers["access-control-allow-origin"] == HELP
    assert refused.headers["access-control-expose-headers"] == "Retry-After"


def test_cookies_are_never_asked_for() -> None:
    assert "access-control-allow-credentials" not in preflight(make_client("*"), "/v1/events", HELP).headers


@pytest.mark.parametrize("origin", ["https://other.example", "http://help.example", "https://help.example:444", "null"])
def test_a_page_of_another_origin_may_not(origin: str) -> None:
    client = make_client(HELP)
    assert "access-control-allow-origin" not in preflight(client, "/v1/events", origin).headers
    assert "access-control-allow-origin" not in client.post("/v1/events", headers={"Origin": origin}).headers


def test_other_routes_stay_closed() -> None:
    client = make_client(HELP)
    assert preflight(client, "/v1/versions", HELP).status_code == 405
    assert "access-control-allow-origin" not in client.post("/v1/versions", headers={"Origin": HELP}).headers


def test_without_the_setting_nothing_is_open() -> None:
    client = make_client()
    assert preflight(client, "/v1/events", HELP).status_code == 405
    assert "access-control-allow-origin" not in client.post("/v1/events", headers={"Origin": HELP}).headers


def test_any_page_may_when_the_operator_says_so() -> None:
    reply = make_client("*").post("/v1/events", headers={"Origin": HELP})
    assert reply.headers["access-control-allow-origin"] == "*"
