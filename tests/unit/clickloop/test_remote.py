"""The command line's client tells people what the service said."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from clickloop.remote import Refused, Remote
from clickloop.sending import send_documents
from foundation.errors import InvalidRequest, NotReady

PROBLEM = {"detail": "the request is wrong", "errors": [{"field": "k", "reason": "must be at least 1"}]}


class Answers(BaseHTTPRequestHandler):
    """Says 422 to searches, takes documents but those with the id "bad", is ready at once."""

    def do_GET(self) -> None:
        self._answer(200, {"collection": self.headers["Clickloop-Collection"]})

    def do_POST(self) -> None:
        self._read()
        self._answer(422, PROBLEM)

    def do_PUT(self) -> None:
        ids = [json.loads(line)["id"] for line in self._read().splitlines()]
        faults = [{"field": "title", "reason": "is missing"}]
        verdicts = [
            {"index": index, "id": name, "status": "refused" if name == "bad" else "created", "fields": faults}
            for index, name in enumerate(ids)
        ]
        self._answer(200, {"refused": ids.count("bad"), "verdicts": verdicts})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Keep the test's output clean."""

    def _read(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
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


def write_documents(folder: Path, *ids: str) -> Path:
    file = folder / "documents.jsonl"
    file.write_text("".join(json.dumps({"id": name, "title": name}) + "\n" for name in ids))
    return file


def test_requests_name_the_collection(url: str) -> None:
    assert Remote(url, "shop").get("/readyz") == {"collection": "shop"}


def test_a_refusal_tells_field_and_reason(url: str) -> None:
    with pytest.raises(Refused, match="422 the request is wrong k: must be at least 1"):
        Remote(url).post("/v1/search", {})


def test_a_service_that_is_away_is_named_with_what_to_do() -> None:
    with pytest.raises(NotReady, match="start one with `clickloop serve`"):
        Remote("http://127.0.0.1:9").get("/readyz")


def test_documents_are_sent_from_lines(url: str, tmp_path: Path) -> None:
    assert send_documents(Remote(url), write_documents(tmp_path, "a", "b"), Console(quiet=True)) == 2


def test_a_refused_document_is_named(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"document 1 \('bad'\) was refused.*title"):
        send_documents(Remote(url), write_documents(tmp_path, "a", "bad"), Console(quiet=True))
