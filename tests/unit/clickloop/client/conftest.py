"""A service that answers as it is told, and remembers what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from foundation.clock import monotonic_s

Reply = tuple[int, dict[str, Any]]


def accept(events: list[dict[str, Any]]) -> Reply:
    """Accept events, but refuse those of the document "bad"."""
    fault = {"field": "document_id", "reason": "is bad"}
    verdicts = [
        {"index": index, "id": event["id"], "status": "refused", "fields": [fault]}
        if event.get("document_id") == "bad"
        else {"index": index, "id": event["id"], "status": "accepted", "fields": []}
        for index, event in enumerate(events)
    ]
    return (202 if any(one["status"] == "accepted" for one in verdicts) else 422), {"verdicts": verdicts}


def put_off(*documents: str, wait_s: float) -> Callable[[list[dict[str, Any]]], Reply]:
    """Return what accepts events but those of some documents, which it says may come again."""

    def answer(events: list[dict[str, Any]]) -> Reply:
        status, reply = accept(events)
        for event, verdict in zip(events, reply["verdicts"], strict=True):
            if event.get("document_id") in documents:
                fault = {"field": "user", "reason": "sends more than 2 events a minute"}
                verdict |= {"status": "refused", "fields": [fault], "retry_after_s": wait_s}
        return status, reply

    return answer


def problem(status: int, detail: str = "not now", **more: Any) -> Reply:
    return status, {"detail": detail, "errors": [], **more}


class Script:
    """What the service does next.

    Attributes:
        replies: Answers to the next requests, in order; after them it answers as `accept` does.
        batches: The events of every request.
        moments_s: When each request came.
        headers: The headers of every request.
        paths: The method and path of every request, with its parameters.
        retry_after: What a 503 says of when to come back.
    """

    def __init__(self) -> None:
        self.url = ""
        self.retry_after = "0"
        self.replies: list[Callable[[Any], Reply]] = []
        self.batches: list[list[dict[str, Any]]] = []
        self.moments_s: list[float] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []

    def say(self, *replies: Reply) -> None:
        self.replies.extend(lambda _, reply=reply: reply for reply in replies)  # type: ignore[misc]

    def answer(self, headers: dict[str, str], body: Any) -> Reply:
        self.headers.append(headers)
        self.moments_s.append(monotonic_s())
        self.batches.append(body)
        return self.replies.pop(0)(body) if self.replies else accept(body)


@pytest.fixture
def script() -> Iterator[Script]:
    told = Script()

    class Service(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "null")
            told.paths.append(f"{self.command} {self.path}")
            status, document = told.answer({name.lower(): value for name, value in self.headers.items()}, body)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            if status == 503:
                self.send_header("Retry-After", told.retry_after)
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self.do_POST()

        def do_PUT(self) -> None:
            self.do_POST()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told.url = f"http://127.0.0.1:{server.server_port}"
        yield told
        server.shutdown()
