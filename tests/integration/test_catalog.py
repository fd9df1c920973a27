"""What indexes and clients rely on in the catalog."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import perf_counter
from typing import Any

import pytest
import sqlalchemy as sa

from foundation.clock import FrozenClock
from foundation.contracts import Document
from foundation.database.engine import reading
from foundation.errors import NotFound
from serving.catalog.store import Catalog
from serving.tables import documents


@pytest.fixture
def catalog(any_engine: sa.Engine, clock: FrozenClock) -> Catalog:
    return Catalog(any_engine, clock)


def make_document(id_: str, text: str = "text", **fields: object) -> Document:
    return Document(id_, f"Title of {id_}", text, f"https://example.org/{id_}", dict(fields))


def test_a_stored_document_comes_back_whole(catalog: Catalog) -> None:
    sent = make_document("a", "naïve 😀\ttext", size=3, nested={"tags": ["x", None, 1.5, True]})
    assert catalog.upsert("default", [sent]) == ["created"]
    got = catalog.get("default", "a")
    assert (got.title, got.text, got.url, got.fields) == (sent.title, sent.text, sent.url, sent.fields)
    assert (got.change, got.deleted) == (1, False)


def test_an_unchanged_document_takes_no_change_number(catalog: Catalog) -> None:
    catalog.upsert("default", [make_document("a"), make_document("b")])
    statuses = catalog.upsert("default", [make_document("a"), make_document("b", "new"), make_document("c")])
    assert statuses == ["unchanged", "updated", "created"]
    assert catalog.latest_change("default") == 4
    assert [(d.id, d.change) for d in catalog.changes("default", 0, 10)] == [("a", 1), ("b", 3), ("c", 4)]


@pytest.mark.parametrize(("before", "after"), [(1, True), (1, 1.0), ({"a": 1}, {"a": 2}), ([1, 2], [2, 1])])
def test_fields_that_read_differently_are_a_change(catalog: Catalog, before: object, after: object) -> None:
    catalog.upsert("default", [make_document("a", value=before)])
    assert catalog.upsert("default", [make_document("a", value=after)]) == ["updated"]


def test_of_equal_ids_in_a_batch_the_last_counts_and_each_gets_a_verdict(catalog: Catalog) -> None:
    assert catalog.upsert("default", [make_document("a", "one"), make_document("a", "two")]) == ["created", "created"]
    assert catalog.get("default", "a").text == "two"
    assert catalog.latest_change("default") == 1


def test_a_deleted_document_is_gone_but_stays_in_the_feed_without_its_content(catalog: Catalog) -> None:
    catalog.upsert("default", [make_document("a", color="red"), make_document("b")])
    assert catalog.delete("default", ["a", "nope", "a"]) == [True, False, True]
    with pytest.raises(NotFound, match="'a'"):
        catalog.get("default", "a")
    (change,) = catalog.changes("default", 2, 10)
    assert change == Document("a", "", "", change=3, deleted=True)
    assert catalog.delete("default", ["a"]) == [False]
    assert catalog.latest_change("default") == 3
    assert catalog.upsert("default", [make_document("a")]) == ["created"]
    assert catalog.count("default") == 2


def test_changes_come_in_pages_in_order(catalog: Catalog) -> None:
    catalog.upsert("default", [make_document(f"d{index}") for index in range(5)])
    first = catalog.changes("default", 0, 3)
    second = catalog.changes("default", first[-1].change, 3)
    assert [document.change for document in first + second] == [1, 2, 3, 4, 5]
    assert catalog.changes("default", 5, 3) == []


def test_documents_are_listed_by_id_without_deleted_ones(catalog: Catalog) -> None:
    catalog.upsert("default", [make_document(id_) for id_ in ("c", "a", "d", "b")])
    catalog.delete("default", ["b"])
    assert [document.id for document in catalog.list("default", "", 2)] == ["a", "c"]
    assert [document.id for document in catalog.list("default", "c", 2)] == ["d"]
    assert catalog.count("default") == 3


def test_collections_do_not_see_each_other(catalog: Catalog) -> None:
    catalog.upsert("one", [make_document("a", "in one")])
    catalog.upsert("two", [make_document("a", "in two"), make_document("b")])
    catalog.delete("two", ["a"])
    assert catalog.get("one", "a").text == "in one"
    assert catalog.collections() == ["one", "two"]
    assert (catalog.latest_change("one"), catalog.latest_change("two"), catalog.latest_change("three")) == (1, 3, 0)


def test_properties_are_laid_over_a_document_and_the_rest_stays(catalog: Catalog) -> None:
    catalog.upsert("default", [make_document("a", "old text", colour="red")])

    assert catalog.merge("default", {"a": {"text": "new text", "price": 3}}) == {"a": "updated"}
    assert catalog.merge("default", {"a": {"price": 3}}) == {"a": "unchanged"}

    after = catalog.get("default", "a")
    assert (after.text, after.fields) == ("new text", {"colour": "red", "price": 3})


def test_properties_alone_make_no_document(catalog: Catalog) -> None:
    catalog.upsert("default", [make_document("gone")])
    catalog.delete("default", ["gone"])

    patches: dict[str, dict[str, Any]] = {
        "new": {"title": "Toner", "price": 3},
        "bare": {"price": 3},
        "gone": {"price": 3},
    }

    assert catalog.merge("default", patches) == {"new": "created"}
    assert [document.id for document in catalog.list("default", "", 9)] == ["new"]


def test_looking_and_empty_batches_make_no_collection(catalog: Catalog) -> None:
    assert catalog.upsert("ghost", []) == []
    assert catalog.delete("ghost", ["a"]) == [False]
    assert (catalog.collections(), catalog.count("ghost"), catalog.list("ghost", "", 5)) == ([], 0, [])


def test_writes_carry_the_clock_of_the_service(any_engine: sa.Engine, clock: FrozenClock) -> None:
    clock.advance(timedelta(days=2))
    Catalog(any_engine, clock).upsert("default", [make_document("a")])
    with reading(any_engine) as connection:
        assert connection.execute(sa.select(documents.c.updated_at)).scalar_one() == clock.now()


def test_writers_at_once_leave_no_gap_and_share_no_number(catalog: Catalog) -> None:
    def write(writer: int) -> None:
        for index in range(5):
            catalog.upsert("default", [make_document(f"{writer}-{index}-{part}") for part in range(4)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert [document.change for document in catalog.changes("default", 0, 1000)] == list(range(1, 81))


def test_five_hundred_documents_are_stored_in_a_blink(engine: sa.Engine, clock: FrozenClock) -> None:
    catalog = Catalog(engine, clock)
    batch = [make_document(f"document-{index}", "words " * 300, group=index % 7) for index in range(500)]
    begin = perf_counter()
    catalog.upsert("default", batch)
    stored_s = perf_counter() - begin
    begin = perf_counter()
    assert set(catalog.upsert("default", batch)) == {"unchanged"}
    compared_s = perf_counter() - begin
    assert stored_s < 0.2
    assert compared_s < 0.2
