"""Insights events as today's libraries send them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from collector.intake.schemas.algolia import TELEMETRY, parse
from collector.intake.schemas.parsed import Taken
from foundation.contracts import FeedbackEvent

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
CLICK: dict[str, Any] = {
    "eventType": "click",
    "eventName": "Product clicked",
    "index": "shop",
    "userToken": "anna",
    "queryID": "0" * 32,
    "objectIDs": ["p1"],
    "positions": [6],
}


@pytest.mark.parametrize("strict", [True, False])
def test_a_click_that_instantsearch_sends_is_taken(strict: bool) -> None:
    sent = CLICK | {"algoliaSource": ["instantsearch", "instantsearch-internal"]}
    found = parse(sent, "default", NOW, strict=strict)
    assert isinstance(found, Taken)
    [click] = found.content
    assert isinstance(click, FeedbackEvent)
    assert (click.type, click.document_id, click.query_id) == ("click", "p1", CLICK["queryID"])


def test_properties_of_a_library_to_come_are_left_alone_unless_strict() -> None:
    sent = CLICK | {"newThing": {"deep": 1}}
    assert isinstance(parse(sent, "default", NOW), Taken)
    found = parse(sent, "default", NOW, strict=True)
    assert isinstance(found, list)
    assert found[0].reason == "Invalid payload: newThing is not a property of an event"


@pytest.mark.parametrize("kind", TELEMETRY)
def test_what_instantsearch_says_of_itself_is_ignored(kind: str) -> None:
    found = parse({"eventType": kind, "widgets": [], "version": "4.118.1"}, "default", NOW)
    assert isinstance(found, Taken)
    assert "telemetry" in found.ignored
