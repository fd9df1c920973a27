"""The browser's script as it is served; what it does is tested in a browser."""

from __future__ import annotations

import minify
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from collector.browser.http import SERVED, SOURCE, make_router


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.include_router(make_router())
    return TestClient(app)


def test_what_is_served_is_the_source_minified() -> None:
    assert SERVED.read_text() == minify.string("text/javascript", SOURCE.read_text()), "run make client"


def test_it_is_smaller_than_four_kilobytes(client: TestClient) -> None:
    assert len(client.get("/client.js").content) < 4000


def test_any_page_may_import_it_as_a_module(client: TestClient) -> None:
    reply = client.get("/client.js", headers={"Origin": "https://help.example"})
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "export function start" in reply.text


def test_a_browser_that_has_it_is_told_so(client: TestClient) -> None:
    first = client.get("/client.js")
    assert "max-age" in first.headers["cache-control"]
    again = client.get("/client.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/client.js", headers={"If-None-Match": '"another"'}).status_code == 200
