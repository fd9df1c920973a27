"""A search's answer, as an app uses it."""

from __future__ import annotations

from collections.abc import Mapping
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
        highlight: Title and snippet with the words of the query marked, as asked for; None when nobody asked.
        rule: The owner's rule that put it at its rank, "" for none.
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
    highlight: dict[str, Any] | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found; every event about it carries its `query_id`.

    Attributes:
        logged: Whether the service holds its impression, which events about it need.
        total: How many documents hold a word of the query and pass the filter.
        did_you_mean: The query with its slips corrected, "" without any.
        facets: Values of fields with their counts, as asked for.
        ranges: The smallest and the largest value of numbers and dates.
        cursor: That of the next page, "" at the end, and where none was asked for.
        skipped: Stages that were left out.
        redirect: Address that a rule of the owner tells the page to open instead of the hits, "" without such a rule.
        banners: What such rules want the page to show.
        raw: The whole answer as JSON values; a newer service may say more than the attributes hold.
    """

    query_id: str
    hits: tuple[Hit, ...]
    version: str = ""
    arm: str = ""
    experiment: str = ""
    logged: bool = True
    total: int = 0
    did_you_mean: str = ""
    facets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    ranges: dict[str, dict[str, Any]] = field(default_factory=dict)
    cursor: str = ""
    skipped: list[str] = field(default_factory=list)
    redirect: str = ""
    banners: list[dict[str, Any]] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Answer:
        """Return the answer that the service sent."""
        hits = tuple(Hit(**known_items(Hit, hit)) for hit in value["hits"])
        return cls(**known_items(cls, value) | {"hits": hits, "raw": value})


def known_items(record: type[Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the items that a record has fields for."""
    return {name: value[name] for name in record.__dataclass_fields__ if name in value}
