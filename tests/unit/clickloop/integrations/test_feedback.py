"""What is said of an answer goes out as the event that means it."""

from __future__ import annotations

import pytest

from clickloop.integrations.feedback import Feedback
from foundation.http_client import Refused
from tests.unit.clickloop.integrations.conftest import Remembering


def test_each_word_is_one_event(service: Remembering) -> None:
    said = Feedback(service)
    said.cite("q", "a")
    said.rate("q", "a", 4)
    said.thumb("q", "a", up=True)
    said.thumb("q", "a", up=False)
    said.resolve("q", "a")
    said.resolve("q", resolved=False)

    assert {path for path, _ in service.sent} == {"/v1/events"}
    assert [event for _, (event,) in service.sent] == [
        {"type": "click", "query_id": "q", "document_id": "a"},
        {"type": "rating", "query_id": "q", "document_id": "a", "value": 4},
        {"type": "rating", "query_id": "q", "document_id": "a", "value": 5},
        {"type": "rating", "query_id": "q", "document_id": "a", "value": 1},
        {"type": "resolved", "query_id": "q", "document_id": "a"},
        {"type": "unresolved", "query_id": "q"},
    ]


def test_what_the_service_refuses_is_not_swallowed(service: Remembering) -> None:
    with pytest.raises(Refused, match="1 to 5"):
        Feedback(service).rate("q", "a", 0)
