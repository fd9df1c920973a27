"""Clients that send half of something, or without end, or do not read, over sockets: others lose nothing by them."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.middleware import Middleware

from clickloop.server import connections
from clickloop.server.connections import BoundedProtocol
from foundation.web import body_reader
from foundation.web.middleware import Edge, install_edge
from foundation.web.requests import read_body
from serving.admission import Admission, SearchGate

LIMIT_BYTES = 1_000_000
HALF_HEAD = b"POST /v1/search HTTP/1.1\r\nHost: a\r\nX-Half: "
HALF_BODY = b"POST /v1/search HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf"
CHUNKED = b"POST /v1/search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def make_app() -> FastAPI:
    app = FastAPI()
    install_edge(app, Edge(LIMIT_BYTES, gates=[Middleware(SearchGate, admission=Admission(1, 0.3))]))

    @app.post("/v1/search")
    async def search(request: Request) -> int:
        return len(await read_body(request, LIMIT_BYTES))

    @app.get("/large")
    def give_much() -> Response:
        return Response(b"x" * 30_000_000)

    return app


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    config = uvicorn.Config(make_app(), port=0, log_level="critical", http=BoundedProtocol, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_S", "REST_S", "READING_S"):
        monkeypatch.setattr(connections, name, 0.3)
    monkeypatch.setattr(body_reader, "BODY_TIMEOUT_S", 0.3)


def connect(port: int, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=5)
    connection.sendall(sent)
    return connection


def answer_of(connection: socket.socket) -> bytes:
    """Return all that comes until the connection is closed, however that is done."""
    taken = b""
    try:
        while piece := connection.recv(65536):
            taken += piece
    except ConnectionError:
        pass
    connection.close()
    return taken


def send_on(connection: socket.socket, piece: bytes, max_bytes: int) -> int:
    """Send a piece again and again until the service does not want more; return the bytes it took."""
    sent = 0
    try:
        while sent < max_bytes:
            connection.sendall(piece)
            sent += len(piece)
    except ConnectionError:
        pass
    return sent


def search(port: int, body: bytes = b"whole", **headers: str) -> tuple[int, Any]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", "/v1/search", body, headers)
    with connection.getresponse() as reply:
        found = reply.status, json.loads(reply.read())
    connection.close()
    return found


def test_half_sent_bodies_take_no_place_in_the_queue(port: int) -> None:
    waiting = [connect(port, HALF_BODY) for _ in range(50)]
    time.sleep(0.2)

    assert [search(port) for _ in range(20)] == [(200, 5)] * 20
    for connection in waiting:
        connection.close()


@pytest.mark.parametrize("sent", [HALF_HEAD, HALF_BODY, CHUNKED + b"5\r\nhalf"])
def test_who_stops_in_the_middle_is_told_and_left(port: int, impatient: None, sent: bytes) -> None:
    answer = answer_of(connect(port, sent))

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"urn:clickloop:problem:request-timeout" in answer
    assert b"connection: close" in answer.lower()


def test_who_says_nothing_is_left(port: int, impatient: None) -> None:
    assert answer_of(connect(port)) == b""


@pytest.mark.parametrize(("start", "piece"), [(b"", b"\r\n"), (HALF_HEAD, b"a"), (HALF_BODY[:-4], b"a")])
def test_who_sends_ever_so_slowly_is_left(port: int, impatient: None, start: bytes, piece: bytes) -> None:
    connection, began = connect(port, start), time.monotonic()
    with pytest.raises(ConnectionError):
        while time.monotonic() < began + 5:
            connection.sendall(piece)
            time.sleep(0.05)
    connection.close()


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (HALF_HEAD, b"a" * 1000),
        (b"GET /", b"a" * 1000),
        (b"GET / HTTP/1.1\r\n", b"a: b\r\n"),
        (b"", b"\r\n" * 500),
        (CHUNKED + b"5;", b"a" * 1000),
        (CHUNKED + b"0\r\nX-Trailer: ", b"a" * 1000),
        (CHUNKED + b"0\r\n", b"a: b\r\n" * 100),
    ],
)
def test_what_never_ends_is_refused_while_it_is_small(port: int, start: bytes, piece: bytes) -> None:
    connection = connect(port, start)

    assert send_on(connection, piece, 50_000_000) < 20_000_000, "sockets take some"
    assert answer_of(connection)[9:12] in {b"431", b""}, "the answer is lost where the client sends on"


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
        b"GET /?q=" + b"a" * 40_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n",
    ],
)
def test_a_large_head_is_refused_in_words(port: int, head: bytes) -> None:
    answer = answer_of(connect(port, head))

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"urn:clickloop:problem:headers-too-large" in answer


def test_what_is_not_http_is_refused_in_words(port: int) -> None:
    answer = answer_of(connect(port, b"HELLO\r\n\r\n"))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"urn:clickloop:problem:malformed-request" in answer


def test_a_connection_takes_a_few_requests_at_once_and_not_thousands(port: int) -> None:
    one = b"POST /v1/search HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na"
    few = connect(port, one * 10)
    answered = b""
    while answered.count(b"HTTP/1.1 200 ") < 10:
        answered += few.recv(65536)
    few.close()

    assert answer_of(connect(port, one * 5000)).count(b"HTTP/1.1 200 ") < 5000


def test_who_does_not_read_is_left(port: int, impatient: None) -> None:
    connection = connect(port, b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(1.5)

    assert len(answer_of(connection)) < 30_000_000


def test_who_reads_slowly_gets_everything(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "READING_S", 0.3)
    connection = connect(port, b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    taken = 0
    while piece := connection.recv(3_000_000):
        taken += len(piece)
        time.sleep(0.05)
    connection.close()

    assert taken > 30_000_000


def test_answers_that_nobody_reads_do_not_fill_the_memory(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_UNREAD_BYTES", 40_000_000)
    unread = [connect(port, b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(5)]
    time.sleep(0.5)

    assert sum(len(answer) > 30_000_000 for answer in map(take_some, unread)) <= 2
    assert search(port) == (200, 5)


def take_some(connection: socket.socket) -> bytes:
    connection.settimeout(0.5)
    taken = b""
    try:
        while piece := connection.recv(1 << 20):
            taken += piece
    except (ConnectionError, TimeoutError):
        pass
    connection.close()
    return taken


def test_a_new_connection_takes_the_place_of_one_that_waits(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "max_connections", lambda: 10)
    asked = HTTPConnection("127.0.0.1", port, timeout=5)
    asked.request("POST", "/v1/search", b"kept")
    asked.getresponse().read()
    waiting = [connect(port, sent) for sent in (HALF_HEAD, HALF_BODY, b"") * 10]

    assert [search(port) for _ in range(5)] == [(200, 5)] * 5
    asked.request("POST", "/v1/search", b"kept")
    assert asked.getresponse().status == 200, "who asked before is the last to go"
    asked.close()
    for connection in waiting:
        connection.close()


def test_who_wants_another_protocol_is_answered_in_this_one(port: int) -> None:
    head = b"POST /v1/search HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: %b\r\nContent-Length: 4\r\n\r\nbody"
    for protocol in (b"h2c", b"websocket"):
        assert answer_of(connect(port, head % protocol)).startswith(b"HTTP/1.1 200 ")


def test_a_packed_body_is_unpacked_within_limits(port: int) -> None:
    packed = gzip.compress(b"a" * 900_000)

    assert search(port, packed, **{"Content-Encoding": "gzip"}) == (200, 900_000)
    assert search(port, gzip.compress(b"a" * 2_000_000), **{"Content-Encoding": "gzip"})[0] == 413
    for broken in (packed[:-10], packed + b"more", b"not packed"):
        status, problem = search(port, broken, **{"Content-Encoding": "gzip"})
        assert (status, problem["type"]) == (400, "urn:clickloop:problem:unreadable-body")
    for other in ("br", "deflate", "gzip, gzip"):
        assert search(port, packed, **{"Content-Encoding": other})[0] == 415


def test_large_bodies_share_room_and_small_ones_need_none(port: int) -> None:
    half = b"POST /v1/search HTTP/1.1\r\nHost: a\r\nContent-Length: 999000\r\n\r\n" + b"a" * 900_000
    waiting = [connect(port, half) for _ in range(8)]
    time.sleep(0.3)
    status, problem = search(port, b"a" * 900_000)

    assert (status, problem["type"]) == (503, "urn:clickloop:problem:overloaded")
    assert search(port, b"a" * 60_000) == (200, 60_000)
    for connection in waiting:
        connection.close()
    time.sleep(0.3)
    assert search(port, b"a" * 900_000) == (200, 900_000)
