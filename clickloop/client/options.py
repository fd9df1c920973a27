"""What a search may ask for beside its query, under the names of the HTTP API."""

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
        skip: Stages to leave out: rerank, meaning.
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
    skip: Sequence[Literal["rerank", "meaning"]]
    budget_ms: float
    surface: str
    highlight: Literal["html", "offsets"]
    explain: bool
    log: bool
    arm: str
