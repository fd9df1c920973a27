"""Bodies that are too large, sent over a socket by a client that sends all before it reads the answer."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as UrlRequest
from urllib.request import urlopen

import pytest
import uvicorn
from fastapi import FastAPI, Request

from foundation.web import draining
from foundation.web.middleware import Edge, install_edge
from foundation.web.requests import read_body

LIMIT_BYTES = 1_000_000
ROUTE_LIMIT_BYTES = 300_000
PIECE = b"x" * 50_000


def make_app() -> FastAPI:
    app = FastAPI()
    install_edge(app, Edge(LIMIT_BYTES))

    @app.post("/all")
    async def take_all(request: Request) -> int:
        return len(await read_body(request, LIMIT_BYTES))

    @app.post("/less")
    async def take_less(request: Request) -> int:
        return len(await read_body(request, ROUTE_LIMIT_BYTES))

    return app


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(make_app(), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def send(port: int, path: str, body: Any) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json"}
    try:
        with urlopen(UrlRequest(f"http://127.0.0.1:{port}{path}", body, headers), timeout=30) as reply:
            return reply.status, json.load(reply)
    except HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)


def pieces(count: int) -> Iterator[bytes]:
    yield from [PIECE] * count


@pytest.mark.parametrize("path", ["/all", "/less"])
@pytest.mark.parametrize("count", [30, 140])
def test_a_client_that_sends_all_first_hears_why_it_is_refused(port: int, path: str, count: int) -> None:
    for body in (PIECE * count, pieces(count)):
        status, document = send(port, path, body)
        assert (status, document["type"]) == (413, "urn:clickloop:problem:body-too-large")


def test_the_connection_goes_on_after_a_refusal(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    for size, status in ((30, 413), (2, 200)):
        connection.request("POST", "/all", PIECE * size)
        with connection.getresponse() as reply:
            assert reply.status == status
            reply.read()
    connection.close()


@pytest.mark.parametrize(
    "header", [f"Content-Length: {9 * LIMIT_BYTES}", f"Content-Length: {2 * LIMIT_BYTES}\r\nExpect: 100-continue"]
)
def test_what_cannot_be_read_out_or_is_not_on_its_way_is_refused_at_once(port: int, header: str) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(f"POST /all HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


def test_a_client_that_stops_sending_is_not_waited_for_long(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "_DRAIN_LIMIT_S", 0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(f"POST /all HTTP/1.1\r\nHost: a\r\nContent-Length: {2 * LIMIT_BYTES}\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


def test_a_body_without_end_is_answered_at_eight_times_the_limit(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(b"POST /all HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(10 * LIMIT_BYTES // len(PIECE)):
            connection.sendall(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")
