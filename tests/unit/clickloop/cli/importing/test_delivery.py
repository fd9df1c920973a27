"""Batches reach the catalog whole, and what it refuses is named by document."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from clickloop.cli.importing.delivery import DocumentDelivery, OutgoingDocument
from foundation.clock import FrozenClock
from foundation.http_client import Refused, ServiceClient
from foundation.retries import RetryPolicy
from foundation.settings import Settings
from foundation.web.middleware import Edge, install_edge
from serving.catalog.store import Catalog
from serving.http.documents import make_router

MAX_BODY_BYTES = 2000
MAX_BATCH = 8


@pytest.fixture
def catalog(engine: sa.Engine, clock: FrozenClock) -> Catalog:
    return Catalog(engine, clock)


@pytest.fixture
def sender(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Iterator[DocumentDelivery]:
    """A sender to a catalog that takes 8 documents and 2,000 bytes at once."""
    app = FastAPI()
    install_edge(app, Edge(MAX_BODY_BYTES))
    settings = Settings(max_body_bytes=MAX_BODY_BYTES, max_batch=MAX_BATCH)
    app.include_router(make_router(catalog, settings, lambda *_: None))
    with TestClient(app) as client:
        monkeypatch.setattr(httpx, "Client", lambda **_: client)
        yield DocumentDelivery(ServiceClient("http://testserver"), RetryPolicy(sleep=lambda _: None))


def ready(id_: str, text: str = "text") -> OutgoingDocument:
    line = json.dumps({"id": id_, "text": text})
    return OutgoingDocument(f"place of {id_}", id_, line, len(line) + 1)


def test_documents_are_counted_by_what_became_of_them(sender: DocumentDelivery) -> None:
    sender.send([ready("a"), ready("b")])
    counts, refusals = sender.send([ready("a"), ready("b", "new"), ready("c")])
    assert counts == {"unchanged": 1, "updated": 1, "created": 1}
    assert refusals == []


def test_a_refused_document_is_named_by_its_place(sender: DocumentDelivery) -> None:
    counts, (refusal,) = sender.send([ready("a"), ready("b", "")])
    assert counts == {"created": 1}
    assert str(refusal) == "place of b (b): text must not be empty when the title is empty too"


@pytest.mark.parametrize("count", [1, 2, 8])
def test_when_all_are_refused_each_is_named(sender: DocumentDelivery, count: int) -> None:
    counts, refusals = sender.send([ready(str(number), "") for number in range(count)])
    assert not counts
    assert [refusal.place for refusal in refusals] == [f"place of {number}" for number in range(count)]
    assert all(refusal.faults[0].field == "text" for refusal in refusals)


def test_a_batch_of_too_many_is_sent_in_parts(sender: DocumentDelivery, catalog: Catalog) -> None:
    counts, refusals = sender.send([ready(str(number)) for number in range(50)])
    assert (counts, refusals) == ({"created": 50}, [])
    assert catalog.count("default") == 50


def test_a_document_that_is_too_large_costs_no_other(sender: DocumentDelivery) -> None:
    batch = [ready("a", "x" * 900), ready("b", "x" * 2500), ready("c", "x" * 900), ready("d", "x" * 900)]
    counts, (refusal,) = sender.send(batch)
    assert counts == {"created": 3}
    assert refusal.id == "b"
    assert "longer than 2000 bytes" in str(refusal)


def test_a_service_that_refuses_everything_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = httpx.MockTransport(lambda _: httpx.Response(403, text="not yours"))
    client = httpx.Client(transport=closed, base_url="http://there")
    monkeypatch.setattr(httpx, "Client", lambda **_: client)
    with pytest.raises(Refused, match="403 not yours"):
        DocumentDelivery(ServiceClient("http://there"), RetryPolicy()).send([ready("a"), ready("b")])
