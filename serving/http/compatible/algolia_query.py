"""What Algolia's search clients ask for, as a search of the collection.

Parameters: https://www.algolia.com/doc/api-reference/search-api-parameters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from foundation.errors import FieldFault, InvalidRequest
from serving.http.compatible.algolia_filters import to_filter
from serving.http.inputs import Name, SearchText
from serving.index.fields.request import MAX_FACETS
from serving.index.fields.values import FieldType
from serving.paging.window import WINDOW
from serving.records import SearchRequest

MAX_HITS = 100
_FACET_LIMIT = 1000
_EVERY = "*"
_ORDER = re.compile(r"(?P<field>.+?):(?P<way>asc|desc)")


def _as_list(value: Any) -> Any:
    """Return a parameter of several values as a list; it may be JSON or have commas."""
    if not isinstance(value, str):
        return value
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        return [one.strip() for one in value.split(",") if one.strip()]
    return read if isinstance(read, list) else [read]


def _as_text(value: Any) -> Any:
    return "" if value is None else value


Several = Annotated[list[Any], BeforeValidator(_as_list)]


class AlgoliaQuery(BaseModel):
    """One query. What is not known here says nothing."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    index: str = Field("", alias="indexName", max_length=512)
    query: Annotated[SearchText, BeforeValidator(_as_text)] = ""
    page: int = Field(0, ge=0)
    hits_per_page: int = Field(20, alias="hitsPerPage", ge=0, le=1000)
    offset: int | None = Field(None, ge=0)
    length: int | None = Field(None, ge=0, le=1000)
    facets: Several = Field(default_factory=list)
    max_values: int = Field(100, alias="maxValuesPerFacet", ge=1)
    filters: str = Field("", max_length=20_000)
    facet_filters: Several = Field(default_factory=list, alias="facetFilters")
    numeric_filters: Several = Field(default_factory=list, alias="numericFilters")
    attributes: Several = Field(default_factory=list, alias="attributesToRetrieve")
    pre_tag: str = Field("<em>", alias="highlightPreTag", max_length=100)
    post_tag: str = Field("</em>", alias="highlightPostTag", max_length=100)
    click_analytics: bool = Field(False, alias="clickAnalytics")
    analytics: bool = True
    user: Annotated[Name, BeforeValidator(_as_text)] = Field("", alias="userToken")
    type: str = "default"
    facet: str = ""
    facet_query: str = Field("", alias="facetQuery", max_length=512)
    max_facet_hits: int = Field(10, alias="maxFacetHits", ge=1, le=100)

    @property
    def shown(self) -> int:
        """Most hits of the answer; none where only facets are asked for."""
        return min(self.hits_per_page if self.length is None else self.length, MAX_HITS)

    @property
    def start(self) -> int:
        """How many hits stand before the answer's, within those that have pages."""
        wanted = self.page * self.hits_per_page if self.offset is None else self.offset
        return max(0, min(wanted, WINDOW - max(self.shown, 1)))

    @property
    def is_beyond(self) -> bool:
        """Whether the page is behind all that have one."""
        wanted = self.page * self.hits_per_page if self.offset is None else self.offset
        return wanted > self.start

    def to_request(self, types: Mapping[str, FieldType], budget_s: float) -> SearchRequest:
        """Return the search of the collection.

        Args:
            types: The fields of the collection; of a facet that is none of them nothing is counted.

        Raises:
            InvalidRequest: Its filters cannot be read.
        """
        return SearchRequest(
            self.query,
            limit=max(self.shown, 1),
            offset=self.start,
            user=self.user,
            filters=to_filter(self.filters, self.facet_filters, self.numeric_filters, types),
            sort=_read_order(self.index, types),
            facets=self._facets(types),
            highlights=True,
            budget_s=budget_s,
            log=self.analytics and self.shown > 0,
            rearranged=False,
        )

    def facet_search(self, types: Mapping[str, FieldType], budget_s: float) -> SearchRequest:
        """Return the search that finds values of one facet."""
        wanted = {"field": self.facet, "contains": self.facet_query, "limit": self.max_facet_hits}
        return SearchRequest(
            self.query,
            limit=1,
            filters=to_filter(self.filters, self.facet_filters, self.numeric_filters, types),
            facets=[wanted] if self.facet in types else [],
            budget_s=budget_s,
            log=False,
        )

    def _facets(self, types: Mapping[str, FieldType]) -> list[dict[str, Any]]:
        names = list(types) if _EVERY in self.facets else [name for name in self.facets if name in types]
        limit = min(self.max_values, _FACET_LIMIT)
        return [{"field": name, "limit": limit} for name in dict.fromkeys(names)][:MAX_FACETS]


def read_query(given: Mapping[str, Any]) -> AlgoliaQuery:
    """Return a query as a client sends it: its parameters as JSON values, or as a query string in `params`.

    Raises:
        InvalidRequest: A parameter cannot be read.
    """
    params = given.get("params")
    inner = dict(parse_qsl(params, keep_blank_values=True)) if isinstance(params, str) else params
    try:
        return AlgoliaQuery.model_validate({**given, **(inner if isinstance(inner, dict) else {})})
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidRequest(
            f"invalid value for {place!r}: {first['msg']}", (FieldFault(place, first["msg"]),)
        ) from problem


def _read_order(index: str, types: Mapping[str, FieldType]) -> list[str] | None:
    """Return what the name of an index sorts by, as `shop:price:asc,brand:desc`; None where it sorts by nothing."""
    _, _, told = index.partition(":")
    parts = [_ORDER.fullmatch(part.strip()) for part in told.split(",")] if told else []
    keys = [f"{'-' if one['way'] == 'desc' else ''}{one['field']}" for one in parts if one and one["field"] in types]
    return keys or None
