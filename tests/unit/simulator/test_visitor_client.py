from collections.abc import Callable

import httpx
import pytest

from foundation.errors import ClickloopError, InvalidRequest, Overloaded
from simulator.visitor_client import VisitorClient, visitor_policy

Handler = Callable[[httpx.Request], httpx.Response]


def service(
    handler: Handler, pauses: list[float] | None = None, attempts: int = 4, name: str = "default"
) -> VisitorClient:
    retry = visitor_policy(attempts=attempts, sleep=(pauses if pauses is not None else []).append)
    transport = httpx.MockTransport(handler)
    return VisitorClient("http://service", collection=name, retry=retry, transport=transport)


def test_a_request_is_repeated_unchanged_until_the_service_is_back() -> None:
    bodies: list[bytes] = []
    pauses: list[float] = []

    def away_twice(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        if len(bodies) == 1:
            raise httpx.ConnectError("refused")
        return httpx.Response(503 if len(bodies) == 2 else 200, json={"fine": True})

    client = service(away_twice, pauses)

    assert client.send("POST", "/x", json=[1]) == {"fine": True}
    assert bodies == [b"[1]"] * 3
    assert pauses == [0.1, 0.2]
    assert client.retries == 2


def test_patience_ends() -> None:
    pauses: list[float] = []

    with pytest.raises(Overloaded, match="GET http://service/x gave up after 8 tries: status 503"):
        service(lambda _: httpx.Response(503), pauses, attempts=8).send("GET", "/x")

    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


@pytest.mark.parametrize(("status", "error"), [(422, InvalidRequest), (404, InvalidRequest), (500, ClickloopError)])
def test_what_no_repetition_cures_is_raised_at_once(status: int, error: type[ClickloopError]) -> None:
    client = service(lambda _: httpx.Response(status, text="because"))

    with pytest.raises(error, match=f"answered {status}: because"):
        client.send("GET", "/x")
    assert client.retries == 0


def test_something_else_than_json_is_named() -> None:
    with pytest.raises(ClickloopError, match="something else than JSON: '<html>'"):
        service(lambda _: httpx.Response(200, text="<html>")).send("GET", "/x")


def test_a_collection_is_named_unless_it_is_the_default() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[request.headers.get("Clickloop-Collection")])

    assert service(echo).send("GET", "/x") == [None]
    assert service(echo, name="shop").send("GET", "/x") == ["shop"]
