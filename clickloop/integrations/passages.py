"""The passages that answer a question, asked of a running service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from foundation.http_client import ServiceClient

_OF_PASSAGE = ("document_id", "rank", "title", "url")


UNTRUSTED = {"trust": "untrusted"}
"""How retrieved text is marked: it is what somebody once wrote into a document, and never an instruction."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that may answer; its metadata is what feedback on it needs, and that its text is not to be trusted.

    Scores compare within one question.
    """

    text: str
    score: float
    metadata: dict[str, Any] = field(default_factory=dict)


def find_passages(service: ServiceClient, question: str, **wanted: Any) -> list[Passage]:
    """Return the passages that answer a question, best first; their documents are logged as shown.

    Args:
        wanted: Further fields of `POST /v1/context`.
    """
    answer = service.post("/v1/context", {"question": question, **wanted})
    shared = {name: answer[name] for name in ("query_id", "version")}
    return [
        Passage(passage["text"], passage["score"], shared | UNTRUSTED | {name: passage[name] for name in _OF_PASSAGE})
        for passage in answer["passages"]
    ]
