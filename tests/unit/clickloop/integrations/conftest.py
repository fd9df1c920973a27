"""A service that remembers what it was sent."""

from __future__ import annotations

from typing import Any

import pytest

from clickloop.integrations.passages import UNTRUSTED
from foundation.http_client import Refused, ServiceClient

ANSWER = {
    "query_id": "q-1",
    "version": "v-1",
    "total": 31,
    "hits": [{"id": "a", "rank": 1, "title": "A", "url": "/a", "snippet": "First.", "score": 2.5}],
    "passages": [
        {"document_id": "a", "rank": 1, "title": "A", "url": "/a", "text": "First.", "score": 1.5, "tokens": 2},
        {"document_id": "b", "rank": 2, "title": "B", "url": "/b", "text": "Second.", "score": 1.1, "tokens": 2},
        {"document_id": "a", "rank": 1, "title": "A", "url": "/a", "text": "Third.", "score": 0.9, "tokens": 2},
    ],
}
METADATA = {"query_id": "q-1", "document_id": "a", "rank": 1, "title": "A", "url": "/a", "version": "v-1"} | UNTRUSTED


class Remembering(ServiceClient):
    """Answers every question alike, refuses events without stars for ratings."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9")
        self.sent: list[tuple[str, Any]] = []

    def post(self, path: str, body: Any) -> Any:
        self.sent.append((path, body))
        if path == "/v1/events" and body[0].get("value") == 0:
            raise Refused("422 value: must be a whole number of stars, 1 to 5")
        return ANSWER


@pytest.fixture
def service() -> Remembering:
    return Remembering()
