"""Who is answered: by what a request says of the page that sent it, of the host that it asks, and of its body."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from foundation.web.cross_site import BrowserRequest, SiteGate, Welcome, judge
from foundation.web.routes.paths import PathMap

HOME = "127.0.0.1:8080"
HELP = "https://help.example"
LOOPBACK = Welcome()
SHOP = Welcome(frozenset({"search.shop.example", "admin.shop.example:8443"}), True, frozenset({HELP}))
DELETE = ("DELETE", "/v1/documents")
FEEDBACK = ("POST", "/feedback")
EVENTS = ("POST", "/v1/events")
SEARCH = ("POST", "/v1/search")
JSON = "application/json"
TEXT = "text/plain"


def status(route: tuple[str, str], welcome: Welcome = LOOPBACK, host: str = HOME, **said: Any) -> int:
    problem = judge(BrowserRequest(*route, host=host, **({"content_type": JSON} | said)), welcome)
    return problem.status if problem else 200


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8080",
        "localhost:8080",
        "localhost",
        "localhost.:8080",
        "[::1]:8080",
        "127.8.9.1",
        "shop.localhost",
        "",
    ],
)
@pytest.mark.parametrize("route", [DELETE, ("GET", "/v1/versions")])
def test_the_machine_itself_is_answered(host: str, route: tuple[str, str]) -> None:
    assert status(route, host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.test:8080",
        "localhost.evil.test",
        "evil.localhost.test",
        "127.0.0.1.evil.test",
        "192.168.1.5:8080",
        "a@localhost",
        "localhost:8080:8080",
        "localhost/",
        "0.0.0.0:8080",
        "2130706433",
        "[::1",
        "xn--e1aybc.test",
        "тест.test",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "DELETE"])
def test_a_rebound_name_is_not(host: str, method: str) -> None:
    assert status((method, "/v1/versions"), host=host) == 421


@pytest.mark.parametrize(
    "host", ["search.shop.example", "search.shop.example:8080", "10.0.0.7:8080", "[fe80::1]", HOME]
)
def test_named_hosts_and_addresses_are_answered_where_the_setting_says_so(host: str) -> None:
    assert status(DELETE, SHOP, host=host) == 200
    assert status(DELETE, SHOP, host="other.example") == 421
    assert status(DELETE, Welcome(frozenset({"*"})), host="other.example") == 200


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (HOME, "http://127.0.0.1:8080"),
        ("localhost:8080", "http://localhost:8080"),
        ("localhost", "http://localhost"),
        ("[::1]:8080", "http://[::1]:8080"),
    ],
)
@pytest.mark.parametrize("fetch_site", ["same-origin", ""])
def test_pages_of_the_service_do_everything(host: str, origin: str, fetch_site: str) -> None:
    assert status(DELETE, host=host, origin=origin, fetch_site=fetch_site) == 200


@pytest.mark.parametrize(
    "origin",
    ["https://search.shop.example", "https://admin.shop.example:8443", "http://search.shop.example"],
)
def test_behind_a_proxy_a_page_is_known_by_the_public_host(origin: str) -> None:
    assert status(DELETE, SHOP, host="10.0.0.7:8080", origin=origin, fetch_site="same-origin") == 200
    assert status(DELETE, host=HOME, origin=origin, fetch_site="same-origin") == 403


def test_the_usual_port_may_be_written_or_not() -> None:
    assert status(DELETE, SHOP, host="search.shop.example:443", origin="https://search.shop.example") == 200
    assert status(DELETE, SHOP, host="search.shop.example:443", origin="http://search.shop.example:8000") == 403


FOREIGN = [
    {"origin": "http://evil.test"},
    {"origin": "http://evil.test", "fetch_site": "cross-site"},
    {"origin": "http://127.0.0.1:9000", "fetch_site": "same-site"},
    {"origin": "http://127.0.0.1"},
    {"origin": "http://localhost:8080"},
    {"origin": "https://127.0.0.1:8080", "fetch_site": "cross-site"},
    {"origin": "http://127.0.0.1:8080.evil.test"},
    {"origin": "http://127.0.0.1:8080@evil.test"},
    {"origin": "null"},
    {"origin": "null", "fetch_site": "same-origin"},
    {"origin": "file://"},
    {"origin": "chrome-extension://abcdef"},
    {"origin": "http://evil.test", "fetch_site": "same-origin"},
    {"fetch_site": "cross-site"},
    {"fetch_site": "same-site"},
    {"referer": "http://evil.test/page?of=127.0.0.1:8080"},
    {"referer": "http://127.0.0.1:9000/"},
    {"referer": "about:blank"},
]


@pytest.mark.parametrize("said", FOREIGN, ids=str)
@pytest.mark.parametrize("route", [DELETE, FEEDBACK, EVENTS, SEARCH, ("POST", "/console/search"), ("PATCH", "/any")])
@pytest.mark.parametrize("kind", [JSON, TEXT, ""])
def test_a_foreign_page_changes_nothing(said: dict[str, Any], route: tuple[str, str], kind: str) -> None:
    assert status(route, content_type=kind, **said) == 403
    assert status(route, SHOP, content_type=kind, **said) == 403


def test_a_sibling_of_the_public_host_is_foreign() -> None:
    host = "search.shop.example"
    assert status(DELETE, SHOP, host=host, origin="https://blog.shop.example") == 403
    assert status(DELETE, SHOP, host=host, referer="https://blog.shop.example/") == 403
    by_its_word = status(DELETE, SHOP, host=host, origin="https://search.shop.example", fetch_site="same-site")
    assert by_its_word == 403, "what the browser says counts too"


@pytest.mark.parametrize("path", ["/v1/search", "/v1/context", "/v1/events", "/ubi_queries", "/1/events", "/events"])
@pytest.mark.parametrize("fetch_site", ["cross-site", ""])
def test_pages_of_allowed_origins_search_and_send_events(path: str, fetch_site: str) -> None:
    assert status(("POST", path), SHOP, origin=HELP, fetch_site=fetch_site) == 200
    assert status(("POST", path), Welcome(origins=frozenset({"*"})), origin="null", fetch_site=fetch_site) == 200


@pytest.mark.parametrize("route", [DELETE, FEEDBACK, ("POST", "/v1/versions/rollback"), ("POST", "/console/search")])
def test_and_nothing_else(route: tuple[str, str]) -> None:
    assert status(route, SHOP, origin=HELP, fetch_site="cross-site") == 403
    assert status(route, Welcome(origins=frozenset({"*"})), origin=HELP, fetch_site="cross-site") == 403


@pytest.mark.parametrize(
    "said", [{"fetch_site": "cross-site"}, {"fetch_site": "same-site"}, {"origin": "http://evil.test"}]
)
def test_a_foreign_page_embeds_nothing_but_may_link_and_import_the_script(said: dict[str, Any]) -> None:
    for path in ("/console", "/metrics", "/v1/documents/1", "/v1/suggest"):
        assert status(("GET", path), content_type="", **said) == 403
        assert status(("GET", path), content_type="", **said | {"opens_page": True}) == 200
    for path in ("/client.js", "/search.js", "/healthz", "/readyz"):
        assert status(("GET", path), content_type="", **said) == 200


def test_a_link_followed_by_a_browser_that_says_only_where_it_was_opens() -> None:
    assert status(("GET", "/console"), content_type="", referer="https://wiki.example/") == 200


@pytest.mark.parametrize(
    "kind", [JSON, "application/x-ndjson", "application/jsonl", "application/merge-patch+json", ""]
)
def test_programs_send_json(kind: str) -> None:
    for route in (DELETE, SEARCH, EVENTS, FEEDBACK):
        assert status(route, content_type=kind) == 200


@pytest.mark.parametrize("kind", [TEXT, "application/x-www-form-urlencoded", "application/xml", "json", "\x80"])
def test_other_types_are_for_events_alone(kind: str) -> None:
    for route in (DELETE, SEARCH, ("PUT", "/v1/documents"), ("POST", "/v1/versions/rollback")):
        assert status(route, content_type=kind) == 415
    for route in (EVENTS, FEEDBACK, ("POST", "/1/events")):
        assert status(route, content_type=kind) == 200


def test_no_route_takes_forms_with_parts() -> None:
    for route in (DELETE, SEARCH, EVENTS, FEEDBACK):
        assert status(route, content_type="multipart/form-data") == 415


def test_every_answer_forbids_to_frame_it_and_a_refusal_is_a_problem_or_what_the_client_expects() -> None:
    app = FastAPI()

    @app.post("/v1/documents")
    async def take(request: Request) -> int:
        return len(await request.body())

    app.add_middleware(
        SiteGate, welcome=LOOPBACK, refusals=PathMap([("/feedback", lambda _: PlainTextResponse("own form", 403))])
    )
    client = TestClient(app, base_url=f"http://{HOME}")
    taken = client.post("/v1/documents", json={})
    refused = client.post("/v1/documents", json={}, headers={"Origin": "http://evil.test"})

    assert (taken.status_code, taken.headers["x-frame-options"]) == (200, "DENY")
    assert (refused.status_code, refused.headers["x-frame-options"]) == (403, "DENY")
    assert refused.json()["type"] == "urn:clickloop:problem:foreign-page"
    assert "CLICKLOOP_ALLOWED_ORIGINS" in refused.json()["detail"]
    assert client.post("/feedback", headers={"Origin": "null"}).text == "own form"
    assert client.get("/", headers={"Host": "evil.test"}).json()["type"] == "urn:clickloop:problem:misdirected"
