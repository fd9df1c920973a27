"""What a client of `/v1/documents` relies on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from foundation.clock import FrozenClock
from foundation.contracts import Document
from foundation.settings import Settings
from foundation.web.middleware import Edge, install_edge
from serving.catalog.declarations import Declarations
from serving.catalog.store import Catalog
from serving.http import collections
from serving.http.documents import make_router
from serving.rules.store import RelevanceRevisions

MAX_BODY_BYTES = 100_000


@pytest.fixture
def client(engine: sa.Engine, clock: FrozenClock) -> Iterator[TestClient]:
    app = FastAPI()
    install_edge(app, Edge(MAX_BODY_BYTES))
    app.include_router(
        make_router(Catalog(engine, clock), Settings(max_body_bytes=MAX_BODY_BYTES, max_batch=50), lambda *_: None)
    )
    with TestClient(app) as client:
        yield client


def ndjson(client: TestClient, body: bytes | str) -> Any:
    return client.put("/v1/documents", content=body, headers={"content-type": "application/x-ndjson"})


def remove(client: TestClient, ids: object) -> Any:
    return client.request("DELETE", "/v1/documents", content=json.dumps(ids))


def statuses(response: Any) -> list[str]:
    assert response.status_code == 200, response.text
    return [verdict["status"] for verdict in response.json()["verdicts"]]


def faults(response: Any) -> set[str]:
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    return {fault["field"] for fault in response.json()["errors"]}


def test_one_document_goes_in_and_comes_back(client: TestClient) -> None:
    sent = {"id": "help/a b", "title": "T", "text": "x\ty\r\n", "url": "/a", "fields": {"n": 1}, "tags": ["é"]}
    response = client.put("/v1/documents", json=sent)
    verdict = {"index": 0, "id": "help/a b", "status": "created", "fields": []}
    assert response.json() == {"accepted": 1, "refused": 0, "verdicts": [verdict]}
    assert client.get(f"/v1/documents/{quote('help/a b')}").json() == {
        "id": "help/a b",
        "title": "T",
        "text": "x\ty\r\n",
        "url": "/a",
        "fields": {"n": 1, "tags": ["é"]},
        "change": 1,
    }


def test_an_array_gets_a_verdict_per_document_in_order(client: TestClient) -> None:
    client.put("/v1/documents", json=[{"id": "a", "title": "A"}, {"id": "b", "title": "B"}])
    batch = [{"id": "a", "title": "A"}, {"id": "b"}, {"id": "b", "text": "new"}, {"id": "c", "text": "C"}]
    response = client.put("/v1/documents", json=batch)
    assert statuses(response) == ["unchanged", "refused", "updated", "created"]
    assert (response.json()["accepted"], response.json()["refused"]) == (3, 1)
    assert response.json()["verdicts"][1] == {
        "index": 1,
        "id": "b",
        "status": "refused",
        "fields": [{"field": "text", "reason": "must not be empty when the title is empty too"}],
    }


def test_a_broken_line_loses_no_neighbour(client: TestClient) -> None:
    response = ndjson(client, b'{"id":"a","text":"A"}\n{"id":\n\n\xff\n"text"\n{"id":"b","text":"B"}')
    assert statuses(response) == ["created", "refused", "refused", "refused", "created"]
    fields = [verdict["fields"][0]["field"] for verdict in response.json()["verdicts"] if verdict["fields"]]
    assert fields == ["line 2", "line 4", "document"]
    assert [document["id"] for document in client.get("/v1/documents").json()["documents"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"title": "t"}, "id"),
        ({"id": "", "title": "t"}, "id"),
        ({"id": 7.5, "title": "t"}, "id"),
        ({"id": None, "title": "t"}, "id"),
        ({"id": "x" * 257, "title": "t"}, "id"),
        ({"id": "a\u0000b", "title": "t"}, "id"),
        ({"id": "a\nb", "title": "t"}, "id"),
        ({"id": "a"}, "text"),
        ({"id": "a", "title": " ", "text": "\n"}, "text"),
        ({"id": "a", "title": None, "text": None}, "text"),
        ({"id": "a", "title": ["t"]}, "title"),
        ({"id": "a", "text": 1}, "text"),
        ({"id": "a", "text": "bell \u0007"}, "text"),
        ({"id": "a", "title": "\u0000", "text": "t"}, "title"),
        ({"id": "a", "text": "t", "url": 1}, "url"),
        ({"id": "a", "text": "t", "url": "http://a\n"}, "url"),
        ({"id": "a", "text": "t", "url": "u" * 4097}, "url"),
        ({"id": "a", "text": "t", "fields": []}, "fields"),
        ({"id": "a", "text": "t", "fields": {"size": 1}, "size": 2}, "fields.size"),
        ("text", "document"),
        (None, "document"),
        ([], "document"),
    ],
)
def test_a_document_that_does_not_fit_names_its_field(client: TestClient, document: object, field: str) -> None:
    assert faults(client.put("/v1/documents", content=json.dumps([document]))) == {field}


def test_every_fault_of_a_document_is_told_at_once(client: TestClient) -> None:
    assert faults(client.put("/v1/documents", json={"id": "", "title": 1, "url": 2})) == {"id", "title", "url"}


def test_when_nothing_is_kept_the_problem_names_entry_and_field(client: TestClient) -> None:
    assert faults(client.put("/v1/documents", json=[{"id": ""}, {"id": "b"}])) == {"0.id", "0.text", "1.text"}


def test_half_characters_and_deep_nesting_are_refused(client: TestClient) -> None:
    deep: dict[str, Any] = {}
    for _ in range(80):
        deep = {"d": deep}
    batch = [{"id": "a", "text": "\ud800"}, {"id": "b", "text": "t", "deep": deep}, {"id": "c", "text": "ok \u0080"}]
    response = client.put("/v1/documents", content=json.dumps(batch))
    assert statuses(response) == ["refused", "refused", "created"]


@pytest.mark.parametrize("body", [b"", b"  ", b"{", b'{"id": NaN}', b"[" * 5000, b"\xff", b'{"id":"a" "b"}'])
def test_an_unreadable_body_is_a_400(client: TestClient, body: bytes) -> None:
    response = client.put("/v1/documents", content=body)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"


def test_too_many_and_too_much_are_refused(client: TestClient) -> None:
    many = client.put("/v1/documents", json=[{"id": str(index), "text": "t"} for index in range(51)])
    assert many.status_code == 422
    assert "50" in many.json()["detail"]
    assert client.put("/v1/documents", json={"id": "a", "text": "x" * MAX_BODY_BYTES}).status_code == 413


def test_an_empty_array_changes_nothing(client: TestClient) -> None:
    assert client.put("/v1/documents", json=[]).json() == {"accepted": 0, "refused": 0, "verdicts": []}


def test_documents_are_deleted_one_by_one_and_in_batches(client: TestClient) -> None:
    client.put("/v1/documents", json=[{"id": id_, "text": "t"} for id_ in ("a/1", "b", "c")])
    assert client.delete("/v1/documents/a/1").status_code == 204
    assert client.get("/v1/documents/a/1").status_code == 404
    assert client.delete("/v1/documents/a/1").status_code == 404
    response = remove(client, ["b", "nope", [3]])
    assert statuses(response) == ["deleted", "absent", "refused"]
    assert response.json()["verdicts"][1]["id"] == "nope"
    assert faults(remove(client, [True, ""])) == {"0.id", "1.id"}


def test_whole_numbers_are_ids_and_null_is_absent(client: TestClient) -> None:
    response = client.put("/v1/documents", json={"id": 7, "title": None, "text": "one\ftwo", "url": None})
    assert response.json()["verdicts"][0] == {"index": 0, "id": "7", "status": "created", "fields": []}
    document = client.get("/v1/documents/7").json()
    assert (document["id"], document["title"], document["text"], document["url"]) == ("7", "", "one two", "")
    assert statuses(remove(client, [7, 8])) == ["deleted", "absent"]


def test_pages_cover_every_document_once(client: TestClient) -> None:
    client.put("/v1/documents", json=[{"id": f"d{index}", "text": "t"} for index in range(5)])
    seen, after = [], ""
    while after is not None:
        page = client.get("/v1/documents", params={"after": after, "limit": 2}).json()
        seen += [document["id"] for document in page["documents"]]
        after = page["next"]
    assert seen == ["d0", "d1", "d2", "d3", "d4"]


@pytest.mark.parametrize(("query", "field"), [("limit=0", "limit"), ("limit=x", "limit"), ("after=%00", "after")])
def test_a_page_that_cannot_be_names_the_parameter(client: TestClient, query: str, field: str) -> None:
    assert faults(client.get(f"/v1/documents?{query}")) == {field}


def test_an_id_that_cannot_be_is_refused_in_the_path_too(client: TestClient) -> None:
    assert faults(client.get("/v1/documents/%00")) == {"id"}
    assert faults(client.delete("/v1/documents/a%7Fb")) == {"id"}


def test_collections_are_kept_apart(client: TestClient) -> None:
    shop = {"Clickloop-Collection": "shop"}
    client.put("/v1/documents", json={"id": "a", "text": "shop"}, headers=shop)
    assert client.get("/v1/documents/a").status_code == 404
    assert client.get("/v1/documents/a", headers=shop).json()["text"] == "shop"


def test_the_openapi_page_tells_bodies_answers_and_problems(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    put = paths["/v1/documents"]["put"]
    assert set(put["requestBody"]["content"]) == {"application/json", "application/x-ndjson"}
    assert set(put["responses"]) >= {"200", "400", "413", "422"}
    assert set(paths["/v1/documents/{id}"]["delete"]["responses"]) >= {"204", "404", "422"}


def test_a_patch_changes_what_it_names(client: TestClient) -> None:
    client.put("/v1/documents", json={"id": "a/b", "title": "Toner", "text": "black", "price": 3, "sale": True})
    answer = client.patch("/v1/documents/a/b", json={"price": 4.5, "sale": None, "fields": {"stock": 7}})
    assert answer.status_code == 200
    assert (answer.json()["title"], answer.json()["fields"]) == ("Toner", {"price": 4.5, "stock": 7})
    change = answer.json()["change"]
    assert client.patch("/v1/documents/a/b", json={"price": 4.5}).json()["change"] == change, "nothing changed"


def test_patches_of_many_get_a_verdict_each(client: TestClient) -> None:
    client.put("/v1/documents", json=[{"id": "a", "title": "A"}, {"id": "b", "title": "B", "n": 1}])
    patches = [{"id": "a", "n": 2}, {"id": "b", "n": 1}, {"id": "c", "n": 3}, {"id": "a", "title": None}, {"n": 4}]
    answer = client.patch("/v1/documents", json=[*patches, {"id": "a", "m": 1}]).json()
    statuses = ["updated", "unchanged", "absent", "refused", "refused", "updated"]
    assert [verdict["status"] for verdict in answer["verdicts"]] == statuses
    assert (answer["accepted"], answer["refused"]) == (4, 2)
    assert client.get("/v1/documents/a").json()["fields"] == {"n": 2, "m": 1}


def test_what_a_patch_may_not_do_is_said(client: TestClient) -> None:
    assert client.patch("/v1/documents/nobody", json={"n": 1}).status_code == 404
    client.put("/v1/documents", json={"id": "a", "title": "A"})
    for patch, fault in (
        ({"title": ""}, "text"),
        ({"fields": 3}, "fields"),
        ({"n": 1, "fields": {"n": 2}}, "fields.n"),
        ({"url": 7}, "url"),
    ):
        refusal = client.patch("/v1/documents/a", json=patch)
        assert (refusal.status_code, refusal.json()["errors"][0]["field"]) == (422, fault)


def test_collections_are_listed_and_dropped(engine: sa.Engine, clock: FrozenClock) -> None:
    app, catalog, declarations = FastAPI(), Catalog(engine, clock), Declarations(engine, clock)
    install_edge(app, Edge(MAX_BODY_BYTES))
    gone: list[tuple[str, list[str]]] = []
    revisions = RelevanceRevisions(engine, clock)
    app.include_router(
        collections.make_router(catalog, declarations, revisions, lambda name, ids: gone.append((name, ids)))
    )
    catalog.upsert("shop", [Document("a", "A", ""), Document("b", "B", "")])
    declarations.change("shop", {"price": "number"})
    with TestClient(app) as client:
        listed = {"collections": [{"name": "shop", "documents": 2}]}
        assert client.get("/v1/collections").json() == listed
        assert client.delete("/v1/collections/shop").json() == {"name": "shop", "documents": 2}
        assert client.get("/v1/collections").json() == {"collections": [{"name": "shop", "documents": 0}]}
        assert client.delete("/v1/collections/nobody").status_code == 404
    assert (gone, declarations.of("shop")) == ([("shop", ["a", "b"])], {})
