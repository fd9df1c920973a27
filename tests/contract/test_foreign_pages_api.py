"""A service without keys, and the pages that a developer happens to visit: no route is spared."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from foundation.web.cross_site import EVENT_PATHS, READING

FOREIGN = "urn:clickloop:problem:foreign-page"


def changing(service: TestClient) -> list[tuple[str, str]]:
    """Return method and path of every route that changes something."""
    app: Any = service.app
    paths = app.openapi()["paths"]
    found = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    return [(method, path.replace("{", "").replace("}", "")) for method, path in found if method not in READING]


def test_a_foreign_page_reaches_no_route_that_changes_something(service: TestClient) -> None:
    routes = changing(service)
    assert len(routes) > 12
    for method, path in routes:
        for said in ({"Origin": "http://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}):
            reply = service.request(method, path, json={}, headers=said)
            assert reply.status_code == 403, (method, path, said)


def test_a_rebound_name_reaches_no_route_at_all(service: TestClient) -> None:
    rebound = {"Host": "evil.test:8080", "Origin": "http://evil.test:8080", "Sec-Fetch-Site": "same-origin"}
    for method, path in [*changing(service), ("GET", "/console"), ("GET", "/v1/documents"), ("GET", "/readyz")]:
        assert service.request(method, path, headers=rebound).status_code == 421, (method, path)


def test_another_port_of_this_machine_is_another_page(service: TestClient) -> None:
    for host, origin in (("127.0.0.1:8080", "http://127.0.0.1"), ("localhost:8080", "http://localhost:3000")):
        headers = {"Host": host, "Origin": origin}
        assert service.delete("/v1/documents/nothing", headers=headers).json()["type"] == FOREIGN
        own = {"Host": host, "Origin": f"http://{host}"}
        assert service.delete("/v1/documents/nothing", headers=own).status_code == 404


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_what_a_form_can_send_reaches_no_route_but_those_of_events(service: TestClient, kind: str) -> None:
    for method, path in changing(service):
        if path not in EVENT_PATHS:
            reply = service.request(method, path, content=b"{}", headers={"Content-Type": kind})
            assert (reply.status_code, reply.json()["title"]) == (415, "The body is not of a type that is taken here")


def test_every_page_forbids_to_be_framed(service: TestClient) -> None:
    for path in ("/console", "/console/versions", "/docs", "/v1/documents", "/nothing"):
        assert service.get(path).headers["x-frame-options"] == "DENY"
