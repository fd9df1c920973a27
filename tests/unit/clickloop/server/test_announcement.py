"""The service says once where it answers."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import SIGNALS

from clickloop.server.announcement import AnnouncedProcesses, AnnouncedServer
from clickloop.server.listening import AddressTaken, bind
from foundation.telemetry.logs import configure_logs

TIMEOUT_S = 20.0


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


async def silent(_scope: Any, _receive: Any, _send: Any) -> None:
    """Answer nothing."""


def test_a_server_tells_the_free_port_that_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    server = AnnouncedServer(uvicorn.Config(silent, port=0, lifespan="off", log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(TIMEOUT_S)

    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == f"clickloop answers at http://127.0.0.1:{port}"


class Answering:
    """A process that answers when the test says so."""

    exitcode: int | None = None
    answers = False

    def is_ready(self, _timeout: float) -> bool:
        """Tell whether it answers."""
        return self.answers

    def is_alive(self, timeout: float) -> bool:
        """Tell that it lives."""
        return timeout > 0


@pytest.fixture
def processes() -> Iterator[tuple[AnnouncedProcesses, Answering]]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        server = AnnouncedProcesses(uvicorn.Config(silent, workers=2), [bound])
        process = Answering()
        server.processes = [process]  # type: ignore[list-item]  # as much of one as is asked
        yield server, process
    for number, handler in before.items():
        signal.signal(number, handler)


def test_several_processes_are_announced_once_one_answers(
    processes: tuple[AnnouncedProcesses, Answering], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("info")
    server, process = processes
    server.keep_subprocess_alive()
    assert not server.started
    assert capsys.readouterr().err == ""

    process.answers = True
    server.keep_subprocess_alive()
    server.keep_subprocess_alive()

    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == f"clickloop answers at http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_processes_that_end_before_they_answer_end_the_server(
    processes: tuple[AnnouncedProcesses, Answering],
) -> None:
    server, process = processes
    process.exitcode = 1

    server.keep_subprocess_alive()

    assert server.should_exit.is_set()
    assert not server.started


def test_processes_whose_port_was_taken_meanwhile_say_so(
    processes: tuple[AnnouncedProcesses, Answering], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, process = processes
    process.answers = True
    with socket.socket() as silent_one:
        server.sockets = [silent_one]
        server.keep_subprocess_alive()
        assert server.should_exit.is_set()
        monkeypatch.setattr(Multiprocess, "run", lambda _: None)
        with pytest.raises(AddressTaken):
            server.run()


def test_a_server_whose_port_was_taken_meanwhile_says_so() -> None:
    (bound,) = bind("127.0.0.1", 0)
    port = bound.getsockname()[1]
    (other,) = bind("127.0.0.1", port)  # both may be bound while neither listens
    other.listen()

    with pytest.raises(AddressTaken, match=f"127.0.0.1:{port} already"):
        AnnouncedServer(uvicorn.Config(silent, port=port, lifespan="off", log_level="error")).run([bound])
    other.close()
