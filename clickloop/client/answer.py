"""A search's answer, as an app uses it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Hit:
    """One result.

    Attributes:
        rank: 1 on top.
        snippet: The part of the text that speaks of the query.
        fields: The document's open fields.
        score: What it was ranked by.
        scores: Scores by part of the ranking.
        team: The side that contributed it to an interleaved list, else "".
        engine_rank: Its rank in the list of the engine whose candidates were ranked; 0 of a search.
    """

    id: str
    rank: int
    title: str = ""
    url: str = ""
    snippet: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    score: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)
    team: str = ""
    engine_rank: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found; every event about it carries its `query_id`.

    Attributes:
        logged: Whether the service holds its impression, which events about it need.
        raw: The whole answer as JSON values; a newer service may say more than the attributes hold.
    """

    query_id: str
    hits: tuple[Hit, ...]
    version: str = ""
    arm: str = ""
    experiment: str = ""
    logged: bool = True
    raw: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Answer:
        """Return the answer that the service sent."""
        hits = tuple(Hit(**_known(Hit, hit)) for hit in value["hits"])
        return cls(**_known(cls, value) | {"hits": hits, "raw": value})


def _known(record: type[Any], value: dict[str, Any]) -> dict[str, Any]:
    """Return the items that a record has fields for."""
    return {name: value[name] for name in record.__dataclass_fields__ if name in value}
