"""Ids that are whole numbers are taken by every intake, and mean the same as their text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from collector.intake.schemas import algolia, meilisearch, metarank, ubi
from collector.intake.schemas.parsed import Taken
from foundation.contracts import FeedbackEvent, Impression

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
OWN_QUERY = "0" * 32


def search(id_: Any) -> dict[str, Any]:
    hits = {"object_id_field": "sku", "query_response_hit_ids": [id_]}
    return {"query_id": id_, "query_response_id": id_, "client_id": id_, "user_query": "lamp"} | hits


def action(id_: Any) -> dict[str, Any]:
    about = {"object": {"object_id": id_}}
    people = {"user_id": id_, "client_id": id_, "session_id": id_}
    return people | {"action_name": "click", "query_id": id_, "timestamp": NOW.isoformat(), "event_attributes": about}


def ranking(id_: Any) -> dict[str, Any]:
    shown = {"items": [{"id": id_}], "fields": [{"name": "query", "value": "lamp"}]}
    return {"event": "ranking", "id": id_, "user": id_, "session": id_, "timestamp": NOW.isoformat()} | shown


def interaction(id_: Any) -> dict[str, Any]:
    what = {"event": "interaction", "type": "click", "timestamp": NOW.isoformat()}
    return what | {"id": id_, "ranking": id_, "item": id_, "user": id_}


def insight(id_: Any) -> dict[str, Any]:
    what = {"eventType": "click", "eventName": "clicked", "index": "shop", "queryID": OWN_QUERY, "positions": [1]}
    return what | {"userToken": id_, "objectIDs": [id_]}


def analytics(id_: Any) -> dict[str, Any]:
    what = {"eventType": "click", "eventName": "clicked", "indexUid": "shop", "position": 0}
    return what | {"userId": id_, "queryUid": id_, "objectId": id_}


@pytest.mark.parametrize(
    ("parse", "made_of"),
    [
        (lambda value: ubi.parse_query(value, "default", NOW), search),
        (lambda value: ubi.parse_event(value, "default", NOW), action),
        (lambda value: metarank.parse(value, "default", NOW), ranking),
        (lambda value: metarank.parse(value, "default", NOW), interaction),
        (lambda value: algolia.parse(value, "default", NOW), insight),
        (lambda value: meilisearch.parse(value, "default", NOW), analytics),
    ],
)
def test_a_number_is_the_id_of_its_text(parse: Callable[[Any], Any], made_of: Callable[[Any], dict[str, Any]]) -> None:
    told = [_without_id(parse(made_of(id_))) for id_ in (7, "7")]
    assert told[0] == told[1]
    assert "'7'" in told[0]
    assert isinstance(parse(made_of(7.5)), list)
    assert isinstance(parse(made_of(True)), list)


def test_items_of_metarank_are_known_by_numbers() -> None:
    item = {"event": "item", "id": 1, "item": 7, "timestamp": NOW.isoformat()}
    taken = metarank.parse(item | {"fields": [{"name": "title", "value": "one\ftwo"}]}, "default", NOW)
    assert isinstance(taken, Taken)
    assert taken.items == {"7": {"title": "one two"}}


def test_a_strict_algolia_refuses_numbers_as_algolia_does() -> None:
    assert isinstance(algolia.parse(insight(7), "default", NOW, strict=True), list)


def _without_id(taken: Taken) -> str:
    (content,) = taken.content
    assert isinstance(content, FeedbackEvent | Impression)
    fields = {
        name: getattr(content, name)
        for name in ("query_id", "user", "unit", "document_id", "results")
        if hasattr(content, name)
    }
    return str(fields)
