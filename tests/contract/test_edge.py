"""What apps in browsers and behind proxies meet at the service's edge, with the whole service behind it."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from clickloop.server.app import make_app
from foundation.settings import Settings

JSON = {"Content-Type": "application/json"}
HELP = "https://help.example"
DOCUMENTED = set(
    re.findall(
        r"`([a-z-]+)`", " ".join(re.findall(r"^\| \d{3} \|([^|]+)", Path("docs/api.md").read_text(), re.MULTILINE))
    )
)
LONG = "9" * 5000
BODIES = [
    ("POST", "/v1/search"),
    ("POST", "/v1/context"),
    ("POST", "/v1/events"),
    ("PUT", "/v1/documents"),
    ("DELETE", "/v1/documents"),
    ("PUT", "/v1/fields"),
    ("POST", "/v1/experiments"),
    ("POST", "/v1/experiments/x/stop"),
    ("POST", "/v1/versions/x/promote"),
    ("POST", "/v1/versions/rollback"),
    ("POST", "/v1/training-runs"),
    ("POST", "/ubi_queries"),
    ("POST", "/ubi_events"),
    ("POST", "/feedback"),
]


@pytest.fixture(scope="module")
def opened(service_settings: Settings, service: TestClient) -> Iterator[TestClient]:
    """The same service, opened to pages of one origin and behind keys."""
    settings = service_settings.model_copy(update={"allowed_origins": HELP, "require_keys": True})
    with TestClient(make_app(settings)) as client:
        yield client


@pytest.mark.parametrize("path", ["/v1/search", "/v1/events", "/ubi_events", "/1/events"])
@pytest.mark.parametrize(
    "header", ["X-API-Key", "traceparent", "tracestate", "baggage", "sentry-trace", "authorization", "content-type"]
)
def test_what_pages_and_their_tracing_send_passes_the_preflight(opened: TestClient, path: str, header: str) -> None:
    headers = {"Origin": HELP, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": header}
    reply = opened.options(path, headers=headers)

    assert reply.is_success
    assert reply.headers["access-control-allow-origin"] in {HELP, "*"}
    allowed = [name.strip().lower() for name in reply.headers["access-control-allow-headers"].split(",")]
    assert header.lower() in allowed or ("*" in allowed and header != "authorization")


def test_a_packed_request_is_answered_as_a_plain_one(service: TestClient) -> None:
    body = json.dumps({"query": "envelope", "log": False}).encode()
    packed = service.post("/v1/search", content=gzip.compress(body), headers=JSON | {"Content-Encoding": "gzip"})

    assert packed.json()["hits"] == service.post("/v1/search", content=body, headers=JSON).json()["hits"]
    other = service.post("/v1/search", content=body, headers=JSON | {"Content-Encoding": "br"})
    assert (other.status_code, other.headers["accept-encoding"]) == (415, "gzip")


@pytest.mark.parametrize(("method", "path"), BODIES)
@pytest.mark.parametrize("number", [LONG, f"-{LONG}", f"0.{LONG}e{LONG}", "[" * 100_000, "\ud800"])
def test_a_body_that_no_reader_takes_is_a_documented_problem(
    service: TestClient, method: str, path: str, number: str
) -> None:
    body = f'{{"query": "a", "id": "a", "value": {number}}}'.encode("utf-8", "surrogatepass")
    reply = service.request(method, path, content=body, headers=JSON)

    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["type"].removeprefix("urn:clickloop:problem:") in DOCUMENTED
    assert reply.status_code in {400, 404, 422}


@pytest.mark.parametrize("path", ["/v1/documents", "/v1/versions", "/v1/training-runs", "/v1/reports/queries"])
def test_a_long_number_in_an_address_is_a_documented_problem(service: TestClient, path: str) -> None:
    reply = service.get(f"{path}?limit={LONG}")

    assert (reply.status_code, reply.json()["type"]) == (422, "urn:clickloop:problem:invalid-request")
