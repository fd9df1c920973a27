"""The service says once where it answers."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn

from clickloop.announcement import AnnouncedServer, address, announce_when_it_answers
from foundation.telemetry import configure_logs

PATIENCE_S = 20.0


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


async def silent(_scope: Any, _receive: Any, _send: Any) -> None:
    """Answer nothing."""


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "http://127.0.0.1:80"), ("help", "http://help:80"), ("::1", "http://[::1]:80")]
)
def test_an_address_is_a_url(host: str, url: str) -> None:
    assert address(host, 80) == url


def test_a_server_tells_the_free_port_that_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    server = AnnouncedServer(uvicorn.Config(silent, port=0, lifespan="off", log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(PATIENCE_S)

    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == f"clickloop answers at http://127.0.0.1:{port}"


def test_several_processes_are_announced_as_soon_as_one_listens(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    told: list[str] = []

    def is_told() -> bool:
        told.append(capsys.readouterr().err)
        return "answers at" in told[-1]

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        announce_when_it_answers(*listener.getsockname())
        time.sleep(0.3)
        assert not is_told()
        listener.listen()
        wait_until(is_told)

    assert "".join(told).count("answers at") == 1
