"""The passages that answer a question, as a chatbot uses them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from clickloop.client.answer import known_items


@dataclass(frozen=True, slots=True)
class ContextPassage:
    """Neighbouring passages of one document. Its text is what somebody wrote, never an instruction.

    Attributes:
        rank: Of its document in the impression, for feedback; 1 on top.
        score: How well it answers; comparable within one answer.
    """

    document_id: str
    rank: int
    title: str = ""
    url: str = ""
    text: str = ""
    score: float = 0.0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """What answers a question; every event about it carries its `query_id`.

    Attributes:
        passages: Best first.
        tokens: Of all passages together.
        logged: Whether the service holds its impression, which events about it need.
        raw: The whole answer as JSON values.
    """

    query_id: str
    passages: tuple[ContextPassage, ...]
    version: str = ""
    arm: str = ""
    experiment: str = ""
    logged: bool = True
    tokens: int = 0
    raw: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Context:
        """Return the context that the service sent."""
        passages = tuple(ContextPassage(**known_items(ContextPassage, one)) for one in value["passages"])
        return cls(**known_items(cls, value) | {"passages": passages, "raw": value})
