"""What people and agents say of an answer, sent as events to a running service."""

from __future__ import annotations

from typing import Any, Literal

from foundation.http_client import ServiceClient

_STARS = {True: 5, False: 1}


class Feedback:
    """Sends events about answers. Safe to use from many threads.

    Every method returns once the service keeps the event.

    Raises:
        Refused: The service does not take the event; the message names the field.
        NotReady: No service answers, or it cannot keep the event now; the call may be repeated.
    """

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    def cite(self, query_id: str, document_id: str) -> None:
        """Say that a document was opened, or that an answer rests on it: a click."""
        self._send("click", query_id, document_id=document_id)

    def rate(self, query_id: str, document_id: str, stars: int) -> None:
        """Give a document 1 to 5 stars; a CSAT of an answer is one of each document that it cites."""
        self._send("rating", query_id, document_id=document_id, value=stars)

    def thumb(self, query_id: str, document_id: str, *, up: bool) -> None:
        """Say whether a document helped: five stars or one."""
        self.rate(query_id, document_id, _STARS[up])

    def resolve(self, query_id: str, document_id: str = "", *, resolved: bool = True) -> None:
        """Say whether the question was answered.

        Args:
            document_id: What answered it; the document cited last when empty.
        """
        about = {"document_id": document_id} if document_id else {}
        self._send("resolved" if resolved else "unresolved", query_id, **about)

    def _send(
        self, event_type: Literal["click", "rating", "resolved", "unresolved"], query_id: str, **about: Any
    ) -> None:
        self._service.post("/v1/events", [{"type": event_type, "query_id": query_id, **about}])
