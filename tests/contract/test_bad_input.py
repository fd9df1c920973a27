"""Whatever a client sends, it gets a 4xx that names what is wrong, and its good entries are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.conftest import wait_until

PROBLEM = "application/problem+json"
NDJSON = {"content-type": "application/x-ndjson"}
JSON = {"content-type": "application/json"}
MEGABYTE = 2**20

PLAN = {
    "name": "n",
    "kind": "ab",
    "control": "v-1",
    "treatment": "v-2",
    "planned_searches": 10,
    "min_days": 0,
    "max_days": 1,
}


def post(service: TestClient, path: str, body: object) -> Any:
    return service.post(path, content=json.dumps(body), headers=JSON)


def problem(response: Any) -> Any:
    """Return the problem document that a refusal must be."""
    assert 400 <= response.status_code < 500, response.text
    assert response.headers["content-type"] == PROBLEM
    document = response.json()
    assert document["status"] == response.status_code
    assert document["detail"]
    return document


def fields(response: Any) -> set[str]:
    return {fault["field"] for fault in problem(response)["errors"]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "query"),
        ({"query": None}, "query"),
        ({"query": 7}, "query"),
        ({"query": ["a"]}, "query"),
        ({"query": "a\u0000b"}, "query"),
        ({"query": "bell \u0007"}, "query"),
        ({"query": "\ud800"}, "query"),
        ({"query": "a" * 1001}, "query"),
        ({"query": "印" * 1000}, "query"),
        ({"query": "a", "k": 0}, "k"),
        ({"query": "a", "k": -1}, "k"),
        ({"query": "a", "k": 10_000}, "k"),
        ({"query": "a", "k": 10**400}, "k"),
        ({"query": "a", "k": 1.5}, "k"),
        ({"query": "a", "k": "10"}, "k"),
        ({"query": "a", "k": True}, "k"),
        ({"query": "a", "user": 3.5}, "user"),
        ({"query": "a", "user": "u" * 257}, "user"),
        ({"query": "a", "user": "\udfff"}, "user"),
        ({"query": "a", "session": "a\u0001"}, "session"),
        ({"query": "a", "filters": []}, "filters"),
        ({"query": "a", "filters": {"app": {"in": []}}}, "filters.app"),
        ({"query": "a", "filters": {"app": [[1]]}}, "filters.app[0]"),
        ({"query": "a", "explain": "yes"}, "explain"),
        ({"query": "a", "log": 1}, "log"),
        ({"query": "a", "page": 2}, "page"),
        ([], "body"),
        ("text", "body"),
        (None, "body"),
    ],
)
def test_a_search_that_does_not_fit_names_its_field(service: TestClient, body: object, field: str) -> None:
    assert fields(post(service, "/v1/search", body)) == {field}


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"type": "abandon"}, "query_id"),
        ({"type": "hover", "query_id": "q"}, "type"),
        ({"type": ["click"], "query_id": "q", "document_id": "d"}, "type"),
        ({"type": {"click": 1}, "query_id": "q", "document_id": "d"}, "type"),
        ({"type": "click", "query_id": 5.5, "document_id": "d"}, "query_id"),
        ({"type": "click", "query_id": "q"}, "document_id"),
        ({"type": "click", "query_id": "q", "document_id": "\u0000"}, "document_id"),
        ({"type": "rating", "query_id": "q", "document_id": "d", "value": 6}, "value"),
        ({"type": "rating", "query_id": "q", "document_id": "d", "value": 4.5}, "value"),
        ({"type": "rating", "query_id": "q", "document_id": "d", "value": True}, "value"),
        ({"type": "dwell", "query_id": "q", "document_id": "d", "value": -1}, "value"),
        ({"type": "dwell", "query_id": "q", "document_id": "d", "value": 1e305}, "value"),
        ({"type": "dwell", "query_id": "q", "document_id": "d"}, "value"),
        ({"type": "click", "query_id": "q", "document_id": "d", "at": "yesterday"}, "at"),
        ({"type": "click", "query_id": "q", "document_id": "d", "at": "2026-01-05T00:00:00"}, "at"),
        ({"type": "click", "query_id": "q", "document_id": "d", "at": "9999-12-31T23:59:59-23:00"}, "at"),
        ({"type": "click", "query_id": "q", "document_id": "d", "id": "x" * 129}, "id"),
        ({"type": "click", "query_id": "q", "document_id": "d", "user": "\ud83d"}, "[0]"),
        ({"type": "click", "query_id": "q", "document_id": "d", "rank": 1}, "rank"),
        ("click", "event"),
        (7, "body"),
    ],
)
def test_an_event_that_does_not_fit_names_its_field(service: TestClient, event: object, field: str) -> None:
    found = fields(post(service, "/v1/events", event if field == "body" else [event]))
    assert found <= {field, f"0.{field}"}, found


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"control": "v-none"}, "control"),
        ({"treatment": "v-none"}, "treatment"),
        ({"kind": "bandit"}, "kind"),
        ({"planned_searches": 0}, "planned_searches"),
        ({"planned_searches": 10**30}, "planned_searches"),
        ({"planned_searches": "many"}, "planned_searches"),
        ({"alpha": 0.9}, "alpha"),
        ({"coverage": -1}, "coverage"),
        ({"max_days": -1}, "max_days"),
        ({"name": "\u0000"}, "name"),
        ({"name": None}, "name"),
        ({"salt": "x"}, "salt"),
    ],
)
def test_a_plan_that_does_not_fit_names_its_field(service: TestClient, change: dict[str, Any], field: str) -> None:
    assert field in fields(post(service, "/v1/experiments", PLAN | change))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("DELETE", "/v1/search", 405),
        ("GET", "/v1/documents/none", 404),
        ("DELETE", "/v1/documents/none", 404),
        ("GET", "/v1/experiments/none", 404),
        ("POST", "/v1/experiments/none/start", 404),
        ("POST", "/v1/experiments/none/stop", 404),
        ("POST", "/v1/experiments/none/look", 404),
        ("GET", "/v1/experiments/%00", 422),
        ("GET", "/v1/versions/none", 404),
        ("GET", "/v1/versions/%00", 422),
        ("GET", f"/v1/versions/{'v' * 5000}", 422),
        ("POST", "/v1/versions/none/promote", 404),
        ("POST", "/v1/versions/%00/promote", 422),
        ("POST", "/v1/versions/rollback", 409),
        ("POST", "/v1/training-runs", 404),
        ("GET", "/v1/training-runs/none", 404),
        ("GET", "/v1/training-runs/%00", 422),
        ("GET", "/v1/versions?limit=0", 422),
        ("GET", "/v1/training-runs?limit=x", 422),
        ("GET", "/v1/documents?limit=99999999999999999999", 422),
    ],
)
def test_what_is_not_there_is_a_problem_document(service: TestClient, method: str, path: str, status: int) -> None:
    response = service.request(method, path, headers={"Clickloop-Collection": "bad-input"})
    assert problem(response)["status"] == status


@pytest.mark.parametrize("path", ["/v1/versions/none/promote", "/v1/versions/rollback", "/v1/training-runs"])
@pytest.mark.parametrize("body", [{"reason": 7, "autopilot": 7}, {"more": 1}, [], "text"])
def test_a_move_or_run_that_does_not_fit_names_its_field(service: TestClient, path: str, body: object) -> None:
    assert fields(post(service, path, body))


@pytest.mark.parametrize("path", ["/v1/search", "/v1/events", "/v1/documents", "/v1/experiments"])
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"query": NaN}',
        b'{"query": 1e999}',
        b'{"query": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"query": "a"} trailing',
        b"\x00" * 100,
    ],
)
def test_an_unreadable_body_is_refused(service: TestClient, path: str, raw: bytes) -> None:
    method = "PUT" if path == "/v1/documents" else "POST"
    problem(service.request(method, path, content=raw, headers=JSON))


@pytest.mark.parametrize("path", ["/v1/search", "/v1/events", "/v1/documents", "/v1/experiments", "/v1/training-runs"])
def test_ten_megabytes_are_too_many(service: TestClient, path: str) -> None:
    method = "PUT" if path == "/v1/documents" else "POST"
    raw = b'{"query": "' + b"a" * (10 * MEGABYTE) + b'"}'
    assert problem(service.request(method, path, content=raw, headers=JSON))["status"] == 413

    def unannounced() -> Iterator[bytes]:
        for start in range(0, len(raw), MEGABYTE):
            yield raw[start : start + MEGABYTE]

    assert problem(service.request(method, path, content=unannounced(), headers=JSON))["status"] == 413


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "", "multipart/form-data; boundary=x", "💥"])
def test_a_search_of_another_content_type_is_refused_with_words(service: TestClient, content_type: str) -> None:
    headers = {"content-type": content_type.encode()}
    response = service.post("/v1/search", content=b"<query>a</query>", headers=headers)  # type: ignore[arg-type]  # bytes are what a socket brings
    assert problem(response)["status"] == (415 if content_type else 422)


@pytest.mark.parametrize("name", ["", "UPPER", "a b", "../up", "a" * 65, "é", "a\tb"])
def test_a_collection_name_that_cannot_be_names_the_header(service: TestClient, name: str) -> None:
    headers = {"Clickloop-Collection": name.encode()}
    response = service.post("/v1/search", json={"query": "a"}, headers=headers)  # type: ignore[arg-type]  # as above
    assert fields(response) == {"Clickloop-Collection"}


def test_a_broken_line_loses_no_neighbour(service: TestClient) -> None:
    answer = service.post("/v1/search", json={"query": "neighbours", "user": "n"}).json()
    shown = answer["hits"][0]["id"]
    good = [{"id": f"neighbour-{number}", "type": "click", "query_id": answer["query_id"], "document_id": shown}
            for number in range(2)]  # fmt: skip
    lines = [json.dumps(good[0]), '{"type": "click"', "\x00", json.dumps({"type": "click"}), "7", json.dumps(good[1])]
    response = service.post("/v1/events", content="\n".join(lines), headers=NDJSON)
    assert response.status_code == 202
    verdicts = response.json()["verdicts"]
    assert [verdict["status"] for verdict in verdicts] == ["accepted", *["refused"] * 4, "accepted"]
    assert all(verdict["fields"] for verdict in verdicts[1:-1])
    assert [verdict["fields"][0]["field"] for verdict in verdicts[1:3]] == ["line 2", "line 3"]

    def counted() -> bool:
        hits = service.post("/v1/search", json={"query": "neighbours", "explain": True, "log": False}).json()["hits"]
        return bool(next(hit for hit in hits if hit["id"] == shown)["scores"]["evidence"] > 0)

    wait_until(counted)


def test_events_about_unknown_searches_are_kept_and_reported(service: TestClient) -> None:
    headers = {"Clickloop-Collection": "strays"}
    stray = {"type": "click", "query_id": "never-asked", "document_id": "nowhere"}
    assert service.post("/v1/events", json=stray, headers=headers).status_code == 202

    def reported() -> bool:
        findings = service.get("/v1/reports/join-health", headers=headers).json()["findings"]
        return any(finding["name"] == "clicks-without-impression" and finding["count"] == 1 for finding in findings)

    wait_until(reported)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    ["query", "k", "user", "filters", "explain", "log", "id", "type", "query_id", "document_id", "value", "at",
     "title", "text", "fields", "name", "kind", "control", "planned_searches", "alpha", "reason", "autopilot"]
)  # fmt: skip
bodies = st.dictionaries(names, values, max_size=6) | values | st.lists(st.dictionaries(names, values, max_size=5))
routes = st.sampled_from(
    [("POST", "/v1/search"), ("POST", "/v1/events"), ("PUT", "/v1/documents"), ("DELETE", "/v1/documents"),
     ("POST", "/v1/experiments"), ("POST", "/v1/experiments/x/stop"), ("POST", "/v1/versions/x/promote")]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(route=routes, body=bodies, ndjson=st.booleans())
def test_no_json_ever_breaks_a_route(service: TestClient, route: tuple[str, str], body: object, ndjson: bool) -> None:
    headers = {**(NDJSON if ndjson else JSON), "Clickloop-Collection": "garbage"}
    response = service.request(*route, content=json.dumps(body).encode(), headers=headers)
    if not response.is_success:
        problem(response)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(route=routes, raw=st.binary(max_size=200), ndjson=st.booleans())
def test_no_bytes_ever_break_a_route(service: TestClient, route: tuple[str, str], raw: bytes, ndjson: bool) -> None:
    headers = {**(NDJSON if ndjson else JSON), "Clickloop-Collection": "garbage"}
    response = service.request(*route, content=raw, headers=headers)
    if not response.is_success:
        problem(response)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(min_size=1, max_size=60), filters=st.dictionaries(st.text(max_size=5), st.integers() | st.text()))
def test_any_text_is_answered_or_refused(service: TestClient, query: str, filters: dict[str, object]) -> None:
    response = post(service, "/v1/search", {"query": query, "filters": filters, "log": False})
    if not response.is_success:
        assert all(field == "query" or field.startswith("filters") for field in fields(response))
