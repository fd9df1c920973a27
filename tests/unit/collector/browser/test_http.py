"""The browser's script as it is served; what it does is tested in a browser."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient

from collector.browser.http import make_router


def test_it_is_smaller_than_four_kilobytes() -> None:
    app = FastAPI()
    app.include_router(make_router())
    reply = TestClient(app).get("/client.js")
    assert len(reply.content) < 4000
    assert "export function start" in reply.text
