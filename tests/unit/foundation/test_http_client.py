"""The command line's client tells people what the service said."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from foundation.clock import SystemClock
from foundation.errors import FieldFault, NotReady
from foundation.http_client import Refused, ServiceClient

PROBLEM = {"detail": "the request is wrong", "errors": [{"field": "k", "reason": "must be at least 1"}]}


class Answers(BaseHTTPRequestHandler):
    """Says 422 to searches and 429 to deletions, is ready at once."""

    def do_GET(self) -> None:
        key = {"key": self.headers["Authorization"]} if "Authorization" in self.headers else {}
        self._answer(200, {"collection": self.headers["Clickloop-Collection"]} | key)

    def do_POST(self) -> None:
        self._read()
        self._answer(422, PROBLEM)

    def do_DELETE(self) -> None:
        (header,) = json.loads(self._read())
        self._answer(429, PROBLEM, {"Retry-After": header})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Keep the test's output clean."""

    def _read(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_requests_name_the_collection(url: str) -> None:
    assert ServiceClient(url, "shop").get("/readyz") == {"collection": "shop"}


def test_requests_name_none_where_none_was_given(url: str) -> None:
    assert ServiceClient(url).get("/readyz") == {"collection": None}


def test_the_key_of_the_environment_is_sent(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKLOOP_KEY", "clk_x")

    assert ServiceClient(url, "shop").get("/readyz") == {"collection": "shop", "key": "Bearer clk_x"}


def test_a_refusal_tells_field_and_reason(url: str) -> None:
    with pytest.raises(Refused, match="422 the request is wrong k: must be at least 1"):
        ServiceClient(url).post("/v1/search", {})


def test_a_service_that_is_away_is_named_with_what_to_do() -> None:
    with pytest.raises(NotReady, match="start one with `clickloop serve`"):
        ServiceClient("http://127.0.0.1:9").get("/readyz")


@pytest.mark.parametrize(
    ("header", "min_s", "max_s"),
    [
        ("7", 7, 7),
        ("", 0, 0),
        ("soon", 0, 0),
        ("9" * 5000, 0, 0),
        (format_datetime(SystemClock().now() + timedelta(days=1)), 70_000, 86_400),
    ],
    ids=["seconds", "none", "unreadable", "endless", "date"],
)
def test_a_refusal_keeps_status_fields_and_when_to_come_back(url: str, header: str, min_s: float, max_s: float) -> None:
    with pytest.raises(Refused) as refused:
        ServiceClient(url).delete("/v1/documents", [header])
    assert refused.value.code == 429
    assert refused.value.fields == (FieldFault("k", "must be at least 1"),)
    assert min_s <= refused.value.retry_after_s <= max_s
