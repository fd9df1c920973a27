"""Scripts for browsers as they are served."""

from __future__ import annotations

from pathlib import Path

import minify
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import collector.browser.http
import serving.browser.http
from foundation.web.routes.script import make_script_router, minified


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    source = tmp_path / "some.js"
    minified(source).write_text("export let a=1")
    app = FastAPI()
    app.include_router(make_script_router(source, "search", "Give a script."))
    return TestClient(app)


@pytest.mark.parametrize("source", [collector.browser.http.SOURCE, serving.browser.http.SOURCE], ids=lambda it: it.name)
def test_what_is_served_is_the_source_minified(source: Path) -> None:
    assert minified(source).read_text() == minify.string("text/javascript", source.read_text()), "run make client"


def test_any_page_may_import_it_as_a_module(client: TestClient) -> None:
    reply = client.get("/some.js", headers={"Origin": "https://help.example"})
    assert reply.text == "export let a=1"
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert reply.headers["access-control-allow-origin"] == "*"


def test_a_browser_that_has_it_is_told_so(client: TestClient) -> None:
    first = client.get("/some.js")
    assert "max-age" in first.headers["cache-control"]
    again = client.get("/some.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/some.js", headers={"If-None-Match": '"another"'}).status_code == 200
