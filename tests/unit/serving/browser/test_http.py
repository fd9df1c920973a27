from __future__ import annotations

from fastapi import FastAPI
from fastapi.testclient import TestClient

from serving.browser.http import make_router


def test_it_is_a_module_of_less_than_a_kilobyte() -> None:
    app = FastAPI()
    app.include_router(make_router())
    reply = TestClient(app).get("/search.js")
    assert len(reply.content) < 1000
    assert "export function connect" in reply.text
