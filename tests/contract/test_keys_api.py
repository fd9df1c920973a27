"""A service that requires keys: who is let in, where keys may stand, and how each client hears a refusal."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from clickloop.server.app import make_app
from foundation.access.keys import Keys
from foundation.clock import SystemClock
from foundation.database.engine import make_engine
from foundation.settings import Settings
from tests.contract.conftest import DOCUMENTS, served, wait_until
from tests.tiny_encoder import make_tiny_model

HELP = "https://help.example"
CLICK = {"type": "click", "query_id": "q", "document_id": "d"}


class Guarded:
    """The service, and a key of either role for its default collection."""

    def __init__(self, client: TestClient, keys: Keys) -> None:
        self.client = client
        self.keys = keys
        self.app = keys.add("app", "default", "app")
        self.admin = keys.add("admin", "default", "admin")
        self.other = keys.add("other", "other", "app")

    def ask(self, method: str, path: str, key: str = "", **options: Any) -> Any:
        headers = options.pop("headers", {}) | ({"Authorization": f"Bearer {key}"} if key else {})
        return self.client.request(method, path, headers=headers, **options)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    home = tmp_path_factory.mktemp("guarded")
    settings = Settings(
        _env_file=None,
        home=home,
        model=str(make_tiny_model(home)),
        log_level="error",
        encoder_threads=1,
        require_keys=True,
        sign_queries="require",
        events_per_minute_user=5,
        allowed_origins=HELP,
    )
    with TestClient(make_app(settings)) as client:
        engine = make_engine(settings.resolved_database_url())
        guarded = Guarded(client, Keys(engine, SystemClock()))
        assert guarded.ask("PUT", "/v1/documents", guarded.admin, json=DOCUMENTS).status_code == 200
        wait_until(lambda: served(client).get("behind") == 0 and served(client)["version"] != "")
        yield guarded
        engine.dispose()


def search(guarded: Guarded, **more: Any) -> Any:
    return guarded.ask("POST", "/v1/search", guarded.app, json={"query": "print envelopes"} | more)


def test_probes_and_scripts_need_no_key(guarded: Guarded) -> None:
    for path in ("/healthz", "/readyz", "/client.js", "/search.js"):
        assert guarded.ask("GET", path).status_code == 200, path


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/search"),
        ("POST", "/v1/events"),
        ("GET", "/v1/versions"),
        ("GET", "/metrics"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/console"),
        ("GET", "/nothing/here"),
    ],
)
@pytest.mark.parametrize("key", ["", "clk_wrong"])
def test_everything_else_does(guarded: Guarded, method: str, path: str, key: str) -> None:
    reply = guarded.ask(method, path, key)

    assert reply.status_code == 401
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["type"] == "urn:clickloop:problem:unauthenticated"
    assert reply.headers["www-authenticate"].startswith("Basic" if path == "/console" else "Bearer")


def test_an_app_searches_and_sends_events_and_no_more(guarded: Guarded) -> None:
    assert search(guarded).status_code == 200
    assert guarded.ask("GET", "/v1/suggest?q=p", guarded.app).status_code == 200
    for method, path in (("PUT", "/v1/documents"), ("POST", "/v1/versions/rollback"), ("GET", "/v1/quarantine")):
        reply = guarded.ask(method, path, guarded.app, json={})
        assert (reply.status_code, reply.json()["type"]) == (403, "urn:clickloop:problem:forbidden")
    assert guarded.ask("GET", "/v1/quarantine", guarded.admin).json() == {"quarantine": []}


def test_a_key_opens_its_own_collection_only(guarded: Guarded) -> None:
    headers = {"Clickloop-Collection": "other"}

    assert guarded.ask("POST", "/v1/search", guarded.app, json={"query": "x"}, headers=headers).status_code == 403
    assert guarded.ask("POST", "/v1/search?collection=other", guarded.app, json={"query": "x"}).status_code == 403
    missing = guarded.ask("POST", "/v1/search", guarded.other, json={"query": "x"})
    assert missing.status_code == 404, "the key's own collection is meant, which has no documents"


def test_a_key_may_stand_where_clients_put_it(guarded: Guarded) -> None:
    assert guarded.ask("GET", "/v1/suggest?q=p", headers={"X-API-Key": guarded.app}).status_code == 200
    assert guarded.ask("GET", "/v1/versions", headers=basic(guarded.admin)).status_code == 200
    assert guarded.ask("POST", f"/v1/events?key={guarded.app}", json=CLICK).status_code == 422, "not 401"
    assert guarded.ask("GET", f"/v1/suggest?q=p&key={guarded.app}").status_code == 401, "only where beacons come"


def basic(key: str) -> dict[str, str]:
    """Return what a browser adds to every request once a person has given it the key."""
    return {"Authorization": f"Basic {base64.b64encode(f'me:{key}'.encode()).decode()}"}


@pytest.mark.parametrize("path", ["/v1/search", "/v1/events", "/feedback", "/ubi_queries", "/1/events", "/events"])
def test_the_key_that_a_browser_remembers_never_counts_on_the_routes_of_apps(guarded: Guarded, path: str) -> None:
    for key in (guarded.admin, guarded.app):
        assert guarded.ask("POST", path, headers=basic(key), json={}).status_code == 401
    assert guarded.ask("POST", "/console/search", headers=basic(guarded.admin), json={"query": "p"}).status_code == 200
    assert guarded.ask("POST", "/console/search", headers=basic(guarded.app), json={"query": "p"}).status_code == 403
    beacon = guarded.ask("POST", f"/v1/events?key={guarded.app}", headers=basic(guarded.admin), json=[])
    assert beacon.status_code == 422, "the page's own key counts beside it"


@pytest.mark.parametrize(
    "said",
    [
        {"Origin": "http://blog.testserver"},
        {"Origin": "http://testserver:81"},
        {"Origin": "null"},
        {"Origin": HELP},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Referer": "http://evil.test/"},
    ],
)
def test_a_browser_does_not_lend_its_key_to_another_page(guarded: Guarded, said: dict[str, str]) -> None:
    for path in ("/v1/versions/rollback", "/v1/quarantine/u/hold", "/v1/quarantine/u/release", "/feedback"):
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            headers = basic(guarded.admin) | said | {"Content-Type": kind}
            forged = guarded.ask("POST", path, headers=headers, content=b"{}")
            assert (forged.status_code, forged.json()["type"]) == (403, "urn:clickloop:problem:foreign-page")
    assert guarded.ask("GET", "/console", headers=basic(guarded.admin)).status_code == 200
    assert guarded.ask("GET", "/v1/quarantine", headers=basic(guarded.admin)).json() == {"quarantine": []}


def test_a_removed_key_ends_within_seconds(guarded: Guarded) -> None:
    token = guarded.keys.add("leaver", "default", "app")
    wait_until(lambda: guarded.ask("GET", "/v1/suggest?q=p", token).status_code == 200)
    guarded.keys.remove("leaver", "default")

    wait_until(lambda: guarded.ask("GET", "/v1/suggest?q=p", token).status_code == 401)


def test_algolias_clients_hear_a_refusal_in_their_form(guarded: Guarded) -> None:
    reply = guarded.ask("POST", "/1/events", json={"events": []})
    assert (reply.status_code, reply.json()) == (401, {"status": 401, "message": "Invalid credentials"})
    query = f"?X-Algolia-Application-Id=a&X-Algolia-API-Key={guarded.app}"
    assert guarded.ask("POST", f"/1/events{query}", json={"events": []}).json()["message"] == "No events to process"
    headers = {"X-Algolia-Application-Id": "a", "X-Algolia-API-Key": guarded.app}
    assert guarded.ask("POST", "/1/events", headers=headers, json={"events": []}).status_code == 422


def test_meilisearchs_clients_hear_a_refusal_in_their_form(guarded: Guarded) -> None:
    reply = guarded.ask("POST", "/events", json=[])

    assert (reply.status_code, reply.json()["code"], reply.json()["type"]) == (
        401,
        "missing_authorization_header",
        "auth",
    )


def test_a_page_of_another_origin_can_read_a_refusal(guarded: Guarded) -> None:
    for path in ("/ubi_queries", "/ubi_events", "/1/events", "/events", "/v1/search", "/v1/context"):
        preflight = {"Origin": HELP, "Access-Control-Request-Method": "POST"}
        assert guarded.ask("OPTIONS", path, headers=preflight).status_code == 200
        refused = guarded.ask("POST", path, json=[], headers={"Origin": HELP})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, HELP)
        foreign = guarded.ask("POST", path, json=[], headers={"Origin": "https://evil.test"})
        assert (foreign.status_code, foreign.headers.get("access-control-allow-origin")) == (403, None)


def test_items_that_lay_fields_over_documents_take_an_admins_key(guarded: Guarded) -> None:
    item = {"event": "item", "id": "1", "item": "label", "timestamp": 0, "fields": [{"name": "price", "value": 3}]}

    refused = guarded.ask("POST", "/feedback", guarded.app, json=item)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "0.event")
    assert guarded.ask("POST", "/feedback", guarded.admin, json=item).json()["updated"] == 1


def test_feedback_on_an_answer_that_was_never_served_is_refused(guarded: Guarded) -> None:
    served_id = search(guarded, user="u1").json()["query_id"]
    invented = served_id[:-1] + ("0" if served_id[-1] != "0" else "1")
    clicks = [CLICK | {"query_id": query_id, "document_id": "envelope"} for query_id in (served_id, invented)]

    reply = guarded.ask("POST", "/v1/events", guarded.app, json=clicks).json()

    assert [verdict["status"] for verdict in reply["verdicts"]] == ["accepted", "refused"]
    assert "was not issued by this service" in reply["verdicts"][1]["fields"][0]["reason"]


def test_a_back_end_brings_lists_of_another_engine_and_pages_report_on_them(guarded: Guarded) -> None:
    shown = {"query_id": "theirs", "user_query": "toner", "client_id": "c", "query_response_hit_ids": ["label"]}
    event = {"action_name": "click", "query_id": "theirs", "timestamp": "2026-01-05T10:00:00Z"}
    place = {"event_attributes": {"object": {"object_id": "label", "object_id_field": "id"}}}

    by_page = guarded.ask("POST", "/ubi_queries", guarded.app, json=shown)
    assert (by_page.status_code, "role admin" in by_page.text) == (422, True)
    assert guarded.ask("POST", "/ubi_queries", guarded.admin, json=shown).json()["accepted"] == 1
    assert guarded.ask("POST", "/ubi_events", guarded.app, json=event | place).json()["accepted"] == 1


def test_a_user_who_sends_too_many_is_refused_and_the_neighbours_are_not(guarded: Guarded) -> None:
    query_id = search(guarded, user="u2").json()["query_id"]
    click = CLICK | {"query_id": query_id, "document_id": "envelope"}
    many = [click | {"user": "busy"} for _ in range(7)]

    reply = guarded.ask("POST", "/v1/events", guarded.app, json=[*many, click, click | {"user": "calm"}])

    statuses = [verdict["status"] for verdict in reply.json()["verdicts"]]
    assert statuses == ["accepted"] * 5 + ["refused"] * 2 + ["accepted"] * 2
    assert reply.json()["verdicts"][5]["fields"][0]["field"] == "user"
    assert [verdict.get("retry_after_s") for verdict in reply.json()["verdicts"]] == [None] * 5 + [12, 24, None, None]
    alone = guarded.ask("POST", "/v1/events", guarded.app, json=many[0])
    assert (alone.status_code, alone.json()["type"]) == (429, "urn:clickloop:problem:rate-limited")
    assert 1 <= int(alone.headers["retry-after"]) <= 13


def test_an_admin_holds_and_releases_users_and_the_release_names_the_key(guarded: Guarded) -> None:
    held = guarded.ask("POST", "/v1/quarantine/team%2Fu-9/hold", guarded.admin)
    stands_for = held.json()["unit"]
    assert (held.status_code, held.json()["state"]) == (200, "held")
    assert stands_for.startswith("p-"), "ids are kept as keyed hashes"
    assert guarded.ask("POST", "/v1/quarantine/team%2Fu-9/hold", guarded.admin).status_code == 409

    released = guarded.ask("POST", "/v1/quarantine/team%2Fu-9/release", guarded.admin).json()

    assert (released["state"], released["released_by"]) == ("released", "key:admin")
    listed = guarded.ask("GET", "/v1/quarantine", guarded.admin).json()["quarantine"]
    assert [(one["unit"], one["state"]) for one in listed] == [(stands_for, "released")]
    assert guarded.ask("POST", f"/v1/quarantine/{stands_for}/hold", guarded.admin).json()["state"] == "held"
    assert guarded.ask("POST", "/v1/quarantine/nobody/release", guarded.admin).status_code == 404
