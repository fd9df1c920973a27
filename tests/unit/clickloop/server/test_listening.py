"""An address is taken, or refused in a sentence."""

from __future__ import annotations

import socket
import threading

import pytest

from clickloop.server.listening import AddressTaken, CannotListen, address, bind


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "http://127.0.0.1:80"), ("help", "http://help:80"), ("::1", "http://[::1]:80")]
)
def test_an_address_is_a_url(host: str, url: str) -> None:
    assert address(host, 80) == url


def test_a_free_port_is_taken_when_any_is_asked_for() -> None:
    (bound,) = bind("127.0.0.1", 0)
    assert bound.getsockname()[1] > 0
    bound.close()


def test_a_port_that_somebody_listens_at_is_refused_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(AddressTaken, match=f"http://127.0.0.1:{port} already; end it, or choose another port"):
            bind("127.0.0.1", port)


def test_a_port_that_a_killed_server_leaves_is_waited_for() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    threading.Timer(0.3, listener.close).start()

    (bound,) = bind("127.0.0.1", port)

    assert bound.getsockname()[1] == port
    bound.close()


def test_an_address_of_another_machine_is_refused_in_a_sentence() -> None:
    with pytest.raises(CannotListen, match=r"http://192\.0\.2\.1:80: "):
        bind("192.0.2.1", 80)


def test_a_name_that_nobody_knows_is_refused_in_a_sentence() -> None:
    with pytest.raises(CannotListen, match=r"http://nowhere\.invalid:80: "):
        bind("nowhere.invalid", 80)
