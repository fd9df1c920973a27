"""Fields over HTTP: what there is, and what was declared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

import serving.http.fields
from foundation.clock import SystemClock
from foundation.web.middleware import Edge, install_edge
from serving.catalog.declarations import Declarations
from serving.index.fields.table import FieldSummary

SERVED = {"app": FieldSummary("keyword", 5, 0), "released": FieldSummary("keyword", 2, 3)}
SHOP = {"Clickloop-Collection": "shop"}


@pytest.fixture
def client(engine: sa.Engine) -> Iterator[TestClient]:
    """The routes alone, of a replica that serves two fields of the default collection."""
    app = FastAPI()
    install_edge(app, Edge(1_000_000))
    summaries = {"default": SERVED}
    app.include_router(
        serving.http.fields.make_router(
            Declarations(engine, SystemClock()), lambda collection: summaries.get(collection, {})
        )
    )
    with TestClient(app) as client:
        yield client


def listed(client: TestClient, headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = client.get("/v1/fields", headers=headers).json()["fields"]
    return fields


def field(name: str, type_: str, declared: str | None, documents: int = 0, misfits: int = 0) -> dict[str, Any]:
    told = {"name": name, "type": type_, "declared": declared, "searchable": 0.0}
    return told | {"documents": documents, "misfits": misfits}


def test_what_documents_hold_is_listed_without_any_declaration(client: TestClient) -> None:
    assert listed(client) == [field("app", "keyword", None, 5), field("released", "keyword", None, 2, 3)]
    assert listed(client, SHOP) == []


def test_declarations_are_kept_beside_what_is_served(client: TestClient) -> None:
    answer = client.put("/v1/fields", json={"released": "date", "price": "number"})
    assert answer.status_code == 200
    assert answer.json()["fields"] == listed(client)
    assert listed(client)[1:] == [field("price", "number", "number"), field("released", "keyword", "date", 2, 3)]


def test_a_later_declaration_changes_its_own_fields_only(client: TestClient) -> None:
    client.put("/v1/fields", json={"price": "number", "open": "boolean"}, headers=SHOP)
    client.put("/v1/fields", json={"price": "keyword"}, headers=SHOP)
    assert listed(client, SHOP) == [field("open", "boolean", "boolean"), field("price", "keyword", "keyword")]
    client.put("/v1/fields", json={"price": None, "never declared": None}, headers=SHOP)
    assert listed(client, SHOP) == [field("open", "boolean", "boolean")]


@pytest.mark.parametrize(
    ("body", "place", "reason"),
    [
        ({"price": "numeric"}, "price", 'must be one of keyword, number, date, boolean, or null, is "numeric"'),
        ({"price": {"type": "number"}}, "price", "must be one of"),
        ({"price": ["number"]}, "price", "must be one of"),
        ({"price": {"type": "number", "searchable": 1}}, "price", "must be a keyword to be searchable"),
        ({"brand": {"type": "keyword", "searchable": 11}}, "brand", "from 0 to 10"),
        ({"brand": {"type": "keyword", "searchable": True}}, "brand", "from 0 to 10"),
        ({"": "number"}, "", "1 to 256 characters, has 0"),
        ({"x" * 257: "number"}, "x" * 257, "1 to 256 characters, has 257"),
        ({"a\u0000": "number"}, "a\u0000", "control characters"),
        ({"a\ud800": "number"}, "a?", "surrogate"),
        (["price"], "body", "dictionary"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(client: TestClient, body: Any, place: str, reason: str) -> None:
    if isinstance(body, dict):
        body = {"good": "number"} | body
    sent = json.dumps(body)  # escapes what the client's own JSON refuses to write
    answer = client.put("/v1/fields", content=sent, headers=SHOP | {"Content-Type": "application/json"})
    assert answer.status_code == 422
    faults = {fault["field"]: fault["reason"] for fault in answer.json()["errors"]}
    assert list(faults) == [place]
    assert reason in faults[place]
    assert listed(client, SHOP) == []


def test_a_collection_declares_at_most_a_thousand_fields(client: TestClient) -> None:
    client.put("/v1/fields", json={f"f{number}": "number" for number in range(1000)}, headers=SHOP)
    answer = client.put("/v1/fields", json={"one more": "number"}, headers=SHOP)
    assert answer.status_code == 422
    assert "at most 1000" in answer.json()["detail"]
    withdrawn: dict[str, Any] = {f"f{number}": None for number in range(1000)}
    assert client.put("/v1/fields", json=withdrawn | {"one more": "number"}, headers=SHOP).status_code == 200
    assert listed(client, SHOP) == [field("one more", "number", "number")]


def test_fields_that_are_searched_have_weights(client: TestClient) -> None:
    client.put("/v1/fields", json={"brand": {"type": "keyword", "searchable": 2}, "sku": "keyword"}, headers=SHOP)
    assert [(one["name"], one["searchable"]) for one in listed(client, SHOP)] == [("brand", 2.0), ("sku", 0.0)]
    many = {f"f{number}": {"type": "keyword", "searchable": 1} for number in range(20)}
    refusal = client.put("/v1/fields", json=many, headers=SHOP)
    assert "at most 20" in refusal.json()["detail"]
