"""What a request may say beside its query, under the names of the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict


class SearchOptions(TypedDict, total=False):
    """Further fields of a search.

    Attributes:
        offset: Results on the pages before.
        query_id: Of the first page's answer, for a further page of the same search.
        sort: A field, "-" in front for descending order, or a list.
        facets: Fields whose values are counted: names, or objects of field, limit, contains and multi.
        cursor: "*" for the beginning of a list that is read to its end, then the cursor of the page before.
        place: Where it is asked, {"lat": …, "lon": …}.
        skip: Stages to leave out: rerank, meaning, personal.
        arm: For testers, EXPERIMENT:ARM.
    """

    offset: int
    query_id: str
    conversation: str
    attributes: Mapping[str, str]
    sort: Any
    min_relevance: float
    facets: Sequence[str | Mapping[str, Any]]
    cursor: str
    place: Mapping[str, float]
    skip: Sequence[Literal["rerank", "meaning", "personal"]]
    budget_ms: float
    surface: str
    highlight: Literal["html", "offsets"]
    explain: bool
    log: bool
    arm: str


class RankOptions(TypedDict, total=False):
    """Further fields of a request to rank another engine's candidates.

    Attributes:
        limit: Most results that are returned and logged; all when left out.
        arm: For testers, EXPERIMENT:ARM.
    """

    limit: int
    conversation: str
    attributes: Mapping[str, str]
    budget_ms: float
    surface: str
    explain: bool
    log: bool
    arm: str


class ContextOptions(TypedDict, total=False):
    """Further fields of a request for passages.

    Attributes:
        documents: Most documents that passages are taken from.
    """

    documents: int
    conversation: str
    attributes: Mapping[str, str]
    filters: Mapping[str, Any]
    surface: str
    log: bool
