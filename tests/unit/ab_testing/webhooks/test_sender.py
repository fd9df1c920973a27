"""One attempt: it arrives whole, goes nowhere else, and ends in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ab_testing.webhooks.sender import Attempt, send


class Receiver:
    """A receiver on this machine."""

    def __init__(self) -> None:
        self.status = 204
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.ended = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.seen.append((self.path, dict(self.headers), body))
                if receiver.status == 0:
                    receiver.ended.wait(5)
                    return
                self.send_response(receiver.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *words: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_port}/hook?token=t"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, daemon=True)
    thread.start()
    yield receiver
    receiver.ended.set()
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


def attempt(url: str, *, private: bool = True, timeout_s: float = 5.0) -> Attempt:
    return asyncio.run(send(url, '{"ü": 1}', {"webhook-id": "d-1"}, private=private, timeout_s=timeout_s))


def test_a_message_arrives_under_the_receivers_name(receiver: Receiver) -> None:
    assert attempt(receiver.url).result == "delivered"
    [(path, headers, body)] = receiver.seen
    assert path == "/hook?token=t"
    assert (headers["Host"], headers["webhook-id"]) == (receiver.url.split("/")[2], "d-1")
    assert body == '{"ü": 1}'.encode()


def test_no_redirect_is_followed(receiver: Receiver) -> None:
    receiver.status = 302
    assert attempt(receiver.url).result == "refused"
    assert len(receiver.seen) == 1


def test_nothing_is_sent_to_an_address_that_is_not_public(receiver: Receiver) -> None:
    assert attempt(receiver.url, private=False).result == "forbidden"
    assert attempt(receiver.url.replace("localhost", "[::ffff:127.0.0.1]"), private=False).result == "forbidden"
    assert receiver.seen == []


def test_a_receiver_that_hangs_costs_no_more_than_the_limit(receiver: Receiver) -> None:
    receiver.status = 0
    assert attempt(receiver.url, timeout_s=0.5) == Attempt("failed", "localhost did not answer within 0.5 s")


def test_nobody_there_is_told_without_the_path(receiver: Receiver) -> None:
    gone = attempt("http://localhost:9/hook?token=t")
    assert gone.result == "failed"
    assert "token" not in gone.told
