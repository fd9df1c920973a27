"""Pages of other sites, in a real browser, against every route that changes something: nothing is changed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import uvicorn
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmarks.harness.fixtures import add_version
from clickloop.container import Container
from clickloop.server.app import make_app
from foundation.clock import monotonic_s
from foundation.contracts import DEFAULT_COLLECTION
from foundation.database.engine import make_engine, reading
from foundation.settings import Settings
from tests.acceptance.browser import NEEDS_CHROMIUM, Browser, start_browser

pytestmark = NEEDS_CHROMIUM

ATTACK = (Path(__file__).parent / "foreign_page.js").read_text()
TIMEOUT_S = 20.0
SIMPLE_WAYS = 6
"""Ways of the attack that a browser sends by POST without asking the service first, at the least."""
OF_REPLICAS = {"replicas", "leases"}
"""Tables in which a service tells that it lives, whatever it is asked."""


@dataclass(frozen=True)
class Told:
    """A request as the service saw it, and its answer's status."""

    method: str
    path: str
    origin: str
    authorization: str
    status: int


class Watched:
    """ASGI: a service, and what it was asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.told: list[Told] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = Headers(scope=scope)
                said = headers.get("origin", ""), headers.get("authorization", "")
                self.told.append(Told(scope["method"], scope["path"], *said, message["status"]))
            await send(message)

        await self._app(scope, receive, watch)


class House:
    """A running service that has something to lose."""

    def __init__(self, settings: Settings, watched: Watched, server: uvicorn.Server) -> None:
        self.settings = settings
        self.watched = watched
        self.port: int = server.servers[0].sockets[0].getsockname()[1]
        self.key = ""
        self.container = Container(settings)
        if settings.require_keys:
            self.key = self.container.keys.add("me", DEFAULT_COLLECTION, "admin")
        self.routes = self._furnish()

    def at(self, host: str, port: int | None = None) -> str:
        return f"http://{host}:{port or self.port}"

    def state(self) -> dict[str, list[str]]:
        """Return everything that is kept, but for signs of life."""
        urls = self.settings.resolved_database_url(), self.settings.resolved_log_url()
        return {name: rows for url in urls for name, rows in kept_at(url).items() if name not in OF_REPLICAS}

    def _furnish(self) -> list[tuple[str, str, str]]:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        with httpx.Client(base_url=self.at("127.0.0.1"), headers=headers, timeout=TIMEOUT_S) as client:

            def ask(method: str, path: str, body: Any = None) -> Any:
                reply = client.request(method, path, json=body)
                assert reply.is_success, reply.text
                return reply.json()

            documents = [
                {"id": name, "title": name, "text": f"How to print one {name}."} for name in ("chart", "label")
            ]
            ask("PUT", "/v1/documents", documents)
            deadline = monotonic_s() + TIMEOUT_S
            while not is_searched(ask("GET", "/readyz"), len(documents)):
                assert monotonic_s() < deadline, "the documents are not searched"
                time.sleep(0.02)
            before = ask("GET", "/v1/versions")["champion"]
            champion = add_version(self.container, 1)
            ask("POST", f"/v1/versions/{champion}/promote")
            ask("POST", "/v1/quarantine/held/hold")
            plan = {"name": "one", "kind": "interleaving", "control": before, "treatment": champion}
            plan |= {"planned_searches": 1000, "min_days": 1, "max_days": 7}
            experiment = ask("POST", "/v1/experiments", plan)["id"]
        return [(method, path, json.dumps(body)) for method, path, body in changes(before, experiment, plan)]


def kept_at(url: str) -> dict[str, list[str]]:
    """Return the rows of every table of a database."""
    engine, tables = make_engine(url), sa.MetaData()
    tables.reflect(engine)
    with reading(engine) as connection:
        found = {name: sorted(map(repr, connection.execute(sa.select(table)))) for name, table in tables.tables.items()}
    engine.dispose()
    return found


def is_searched(ready: Any, documents: int) -> bool:
    """Return whether so many documents are found by their words and by their meaning."""
    served = ready["collections"].get(DEFAULT_COLLECTION, {})
    return served.get("documents") == documents and not served["behind"] + served["waiting"] and bool(served["version"])


def changes(version: str, experiment: str, plan: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """Return a request for each route that changes something; each would succeed if it were let in."""
    at = "2026-01-05T10:00:00Z"
    shown = {"user_query": "print", "client_id": "c", "query_response_id": "r", "query_response_hit_ids": ["chart"]}
    place = {"event_attributes": {"object": {"object_id": "chart", "object_id_field": "id"}}}
    clicked = {"eventType": "click", "eventName": "e", "index": "i", "userToken": "u", "objectIDs": ["chart"]}
    return [
        ("PUT", "/v1/documents", {"id": "forged", "title": "forged", "text": "forged"}),
        ("DELETE", "/v1/documents", ["chart"]),
        ("DELETE", "/v1/documents/label", {}),
        ("PUT", "/v1/fields", {"size": "number"}),
        ("POST", "/v1/index/builds", {}),
        ("POST", f"/v1/versions/{version}/promote", {"reason": "forged"}),
        ("POST", "/v1/versions/rollback", {"reason": "forged"}),
        ("POST", "/v1/training-runs", {"autopilot": False}),
        ("POST", "/v1/experiments", dict(plan)),
        ("POST", f"/v1/experiments/{experiment}/start", {}),
        ("POST", "/v1/quarantine/forged/hold", {}),
        ("POST", "/v1/quarantine/held/release", {}),
        ("DELETE", "/v1/users/forged", {}),
        ("POST", "/feedback", {"event": "item", "id": "1", "item": "chart", "timestamp": 0, "fields": []}),
        ("POST", "/v1/events", {"type": "click", "query_id": "q", "document_id": "chart"}),
        ("POST", "/ubi_queries", shown | {"query_id": "q"}),
        ("POST", "/ubi_events", {"action_name": "click", "query_id": "q", "timestamp": at} | place),
        ("POST", "/1/events?X-Algolia-Application-Id=a&X-Algolia-API-Key=k", {"events": [clicked]}),
        ("POST", "/events", {"eventType": "click", "eventName": "e", "indexUid": "i", "userId": "u"}),
        ("POST", "/v1/search", {"query": "print"}),
        ("POST", "/v1/context", {"question": "print"}),
    ]


class ForeignPages(BaseHTTPRequestHandler):
    """An empty page at every address; those below /sandboxed have an origin of their own, `null`."""

    def do_GET(self) -> None:
        """Give it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        if self.path.startswith("/sandboxed"):
            self.send_header("Content-Security-Policy", "sandbox allow-scripts allow-forms")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>page</title><body>")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Keep the test's output clean."""


@pytest.fixture(scope="module")
def pages() -> Iterator[int]:
    """The port of the foreign pages, on every host."""
    with ThreadingHTTPServer(("127.0.0.1", 0), ForeignPages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def running(settings: Settings) -> Iterator[House]:
    watched = Watched(make_app(settings))
    server = uvicorn.Server(uvicorn.Config(watched, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    house = House(settings, watched, server)
    try:
        yield house
    finally:
        house.container.engine.dispose()
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def keyless_settings(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory, pages: int) -> Settings:
    home = tmp_path_factory.mktemp("keyless")
    (home / "onnx").symlink_to(tiny_model.parent / "onnx")
    allowed = f"http://help.test:{pages}"
    return Settings(
        _env_file=None, home=home, model=str(tiny_model), encoder_threads=1, log_level="error", allowed_origins=allowed
    )


@pytest.fixture(scope="module")
def keyless(keyless_settings: Settings) -> Iterator[House]:
    with running(keyless_settings) as house:
        yield house


@pytest.fixture(scope="module")
def guarded(keyless_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = tmp_path_factory.mktemp("guarded")
    (home / "onnx").symlink_to(keyless_settings.home / "onnx")
    changes = {"home": home, "require_keys": True, "public_hosts": "search.shop.test"}
    with running(keyless_settings.model_copy(update=changes)) as house:
        yield house


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with start_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def attack(browser: Browser, page: str, house: House, service: str) -> list[Told]:
    """Let a page try everything; return what came to the service of it."""
    tab = browser.open(page)
    tab.until("document.body && document.readyState == 'complete'")
    seen = len(house.watched.told)
    tab.evaluate(f"({ATTACK.rstrip().rstrip(';')})({json.dumps(service)}, {json.dumps(house.routes)})")
    told = house.watched.told[seen:]
    tab.close()
    return [one for one in told if one.method != "OPTIONS"]


def check_nothing_came_of_it(told: list[Told], routes: int) -> None:
    posted = [one for one in told if one.method == "POST"]
    assert len(posted) >= SIMPLE_WAYS * routes, "the browser did send it"
    assert all(one.origin for one in posted)
    assert not [one for one in told if one.method != "GET" and not 400 <= one.status < 500]


@pytest.mark.parametrize(
    "page",
    [
        "http://evil.test/",
        "http://127.0.0.1/",
        pytest.param("http://localhost/", marks=pytest.mark.slow),
        pytest.param("http://evil.test/sandboxed", marks=pytest.mark.slow),
    ],
)
def test_without_keys_a_foreign_page_changes_nothing(browser: Browser, keyless: House, pages: int, page: str) -> None:
    before = keyless.state()
    host, _, path = page.removeprefix("http://").partition("/")

    told = attack(browser, f"http://{host}:{pages}/{path}", keyless, keyless.at("127.0.0.1"))

    check_nothing_came_of_it(told, len(keyless.routes))
    assert keyless.state() == before


def test_without_keys_a_name_that_is_bent_to_this_machine_opens_nothing(browser: Browser, keyless: House) -> None:
    rebound = keyless.at("evil.test")
    before = keyless.state()

    told = attack(browser, f"{rebound}/console", keyless, rebound)

    check_nothing_came_of_it(told, len(keyless.routes))
    assert {one.status for one in told} == {421}
    assert keyless.state() == before


@pytest.mark.parametrize(
    ("page", "service"),
    [
        ("blog.shop.test", "search.shop.test"),
        pytest.param("127.0.0.1", "127.0.0.1", marks=pytest.mark.slow),
        pytest.param("search.shop.test", "search.shop.test", marks=pytest.mark.slow),
        pytest.param("evil.test", "search.shop.test", marks=pytest.mark.slow),
        pytest.param("evil.test", "127.0.0.1", marks=pytest.mark.slow),
    ],
)
def test_with_keys_the_one_that_a_browser_remembers_is_lent_to_no_page(
    browser: Browser, guarded: House, pages: int, page: str, service: str
) -> None:
    sign_in(browser, guarded, service)
    before = guarded.state()

    told = attack(browser, f"http://{page}:{pages}/", guarded, guarded.at(service))

    check_nothing_came_of_it(told, len(guarded.routes))
    if page.endswith(service.partition(".")[2]):
        assert any(one.authorization.startswith("Basic ") for one in told), "the browser did lend it"
    assert guarded.state() == before


def sign_in(browser: Browser, house: House, host: str) -> None:
    """Open the console as a person does who gives the key when the browser asks for it."""
    tab = browser.open(house.at(f"me:{house.key}@{host}") + "/console")
    tab.until("!!document.querySelector('nav')")
    tab.close()


ALLOWED = """async (url) => {
  const post = (path, body, headers) => fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  const searched = await post("/v1/search", { query: "print" }, { "Content-Type": "application/json" });
  const { hits, query_id } = await searched.json();
  const event = { type: "click", query_id, document_id: "chart" };
  const told = await (await post("/v1/events", event)).json();
  const sent = navigator.sendBeacon(`${url}/v1/events`, JSON.stringify(event));
  const other = await post("/v1/versions/rollback", {}).then(() => true, () => false);
  return [hits.length, told.accepted, sent, other];
}"""
HOLD = """fetch("/v1/quarantine/NAME/hold", { method: "POST" }).then((reply) => reply.status)"""


@pytest.mark.parametrize("kind", ["keyless", "guarded"])
def test_the_consoles_own_pages_act_and_search(browser: Browser, request: pytest.FixtureRequest, kind: str) -> None:
    house: House = request.getfixturevalue(kind)
    if house.key:
        sign_in(browser, house, "127.0.0.1")
    tab = browser.open(house.at("127.0.0.1") + "/console/search?q=print")
    assert tab.until("document.querySelectorAll('.hits li').length") == 2
    assert tab.evaluate(HOLD.replace("NAME", "by-hand")) == 200
    tab.close()


def test_a_page_of_an_allowed_origin_searches_and_sends_events(browser: Browser, keyless: House, pages: int) -> None:
    before = keyless.state()
    tab = browser.open(f"http://help.test:{pages}/")
    found = tab.evaluate(f"({ALLOWED})({json.dumps(keyless.at('127.0.0.1'))})")
    tab.close()
    after = keyless.state()

    assert found == [2, 1, True, False]
    assert {name for name in after if after[name] != before.get(name)} == {"counters", "log_records"}
