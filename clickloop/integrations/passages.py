"""The passages that answer a question, asked of a running service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from foundation.http_client import ServiceClient


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that may answer, and what feedback on it needs.

    Attributes:
        score: How well it answers; comparable within one question.
        metadata: `query_id` and `document_id` for feedback, `rank` of the document (1 on top), `title`, `url`
            and the `version` that ranked.
    """

    text: str
    score: float
    metadata: dict[str, Any] = field(default_factory=dict)


def find_passages(service: ServiceClient, question: str, **wanted: Any) -> list[Passage]:
    """Return the passages that answer a question, best first; their documents are logged as shown.

    Args:
        wanted: Further fields of `POST /v1/context`.

    Raises:
        Refused: The service does not take the request; the message names the field.
        NotReady: No service answers.
    """
    answer = service.post("/v1/context", {"question": question, **wanted})
    return [
        Passage(
            text=passage["text"],
            score=passage["score"],
            metadata={
                "query_id": answer["query_id"],
                "document_id": passage["document_id"],
                "rank": passage["rank"],
                "title": passage["title"],
                "url": passage["url"],
                "version": answer["version"],
            },
        )
        for passage in answer["passages"]
    ]
