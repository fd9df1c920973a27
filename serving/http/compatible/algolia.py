"""Algolia's search calls that InstantSearch makes, so that its pages search here with `algoliasearch/lite` unmodified.

Formats: https://www.algolia.com/doc/rest-api/search. The collection is that of the request, of its key or
`default`; the name of an index may say how it is sorted, as `shop:price:asc`.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from foundation.clock import monotonic_s
from foundation.errors import ClickloopError, FieldFault, InvalidRequest
from foundation.language.folding import fold
from foundation.web.bodies import read_json
from foundation.web.problems import Refusal
from foundation.web.requests import Collection, read_body
from serving.http.compatible.algolia_hits import HitWriter
from serving.http.compatible.algolia_query import MAX_HITS, AlgoliaQuery, read_query
from serving.paging.window import WINDOW
from serving.records import SearchReply
from serving.search import Searcher

MANY = "/1/indexes/*/queries"
ONE = "/1/indexes/{index}/query"
FACET = "/1/indexes/{index}/facets/{facet}/query"
MAX_QUERIES = 50
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {}}, "text/plain": {"schema": {}}}}
}
_MAX_BODY_BYTES = 1_000_000


class AlgoliaProblem(BaseModel):
    """Algolia's form of an error."""

    message: str
    status: int


class _InAlgoliasNames(BaseModel):
    """An answer whose properties Algolia's clients know by other names."""

    model_config = ConfigDict(populate_by_name=True)

    def to_json(self) -> dict[str, Any]:
        """Return the answer as it is sent."""
        return self.model_dump(by_alias=True, exclude_none=True)


class AlgoliaSearched(_InAlgoliasNames):
    """The answer to one query, in Algolia's form."""

    hits: list[dict[str, Any]]
    total: int = Field(alias="nbHits", description="As `total`, at least those listed so far.")
    page: int
    pages: int = Field(alias="nbPages")
    hits_per_page: int = Field(alias="hitsPerPage")
    facets: dict[str, dict[str, int]] = Field(default_factory=dict)
    facets_stats: dict[str, dict[str, float]] = Field(default_factory=dict)
    total_is_exact: Literal[True] = Field(True, alias="exhaustiveNbHits")
    facets_are_exact: Literal[True] = Field(True, alias="exhaustiveFacetsCount")
    banners: list[dict[str, Any]] | None = Field(None, alias="userData", description="What rules want to be shown.")
    rendering: dict[str, Any] | None = Field(None, alias="renderingContent", description="Where a rule leads instead.")
    query: str
    params: str = ""
    index: str
    query_id: str | None = Field(None, alias="queryID", description="The query id, where clickAnalytics asks for it.")
    took_ms: int = Field(alias="processingTimeMS")


class AlgoliaSearchedMany(BaseModel):
    """The answers to several queries, in their order."""

    results: list[dict[str, Any]]


class AlgoliaFacetHits(_InAlgoliasNames):
    """Values of a facet."""

    hits: list[dict[str, Any]] = Field(alias="facetHits")
    facets_are_exact: Literal[True] = Field(True, alias="exhaustiveFacetsCount")
    took_ms: int = Field(alias="processingTimeMS")


def make_router(searcher: Searcher, budget_ms: float) -> APIRouter:
    """Return Algolia's routes of search.

    Args:
        budget_ms: Time that an answer may take.
    """
    router = APIRouter(tags=["compatible search"])
    asked = _Answering(searcher, budget_ms / 1000)
    errors: dict[int | str, dict[str, Any]] = {code: {"model": AlgoliaProblem} for code in (400, 404, 413, 422, 503)}

    @router.post(MANY, openapi_extra=_BODY, response_model=AlgoliaSearchedMany, responses=errors)
    async def search_many(request: Request, collection: Collection) -> JSONResponse:
        """Answer several queries, of hits or of the values of a facet."""

        def answer(body: dict[str, Any]) -> dict[str, Any]:
            wanted = body.get("requests")
            if not isinstance(wanted, list) or not 1 <= len(wanted) <= MAX_QUERIES:
                raise _refusal("requests", f"must be a list of 1 to {MAX_QUERIES} queries")
            return {"results": [asked.answer(collection, one) for one in wanted]}

        return await _reply(request, answer)

    @router.post(ONE, openapi_extra=_BODY, response_model=AlgoliaSearched, responses=errors)
    async def search_one(request: Request, index: str, collection: Collection) -> JSONResponse:
        """Answer one query."""
        return await _reply(request, lambda body: asked.answer(collection, body | {"indexName": index}))

    @router.post(FACET, openapi_extra=_BODY, response_model=AlgoliaFacetHits, responses=errors)
    async def search_facet(request: Request, index: str, facet: str, collection: Collection) -> JSONResponse:
        """Find values of a facet."""
        named = {"indexName": index, "facet": facet, "type": "facet"}
        return await _reply(request, lambda body: asked.answer(collection, body | named))

    return router


async def _reply(request: Request, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> JSONResponse:
    try:
        raw = await read_body(request, _MAX_BODY_BYTES)
        body = read_json(raw) if raw.strip() else {}
        if not isinstance(body, dict):
            raise _refusal("body", "must be a JSON object")
        return JSONResponse(await run_in_threadpool(answer, body))
    except ClickloopError as problem:
        return refuse_as_algolia(problem)


class _Answering:
    """Answers queries of one service."""

    def __init__(self, searcher: Searcher, budget_s: float) -> None:
        self._searcher = searcher
        self._budget_s = budget_s

    def answer(self, collection: str, given: Any) -> dict[str, Any]:
        """Return the answer to one query."""
        if not isinstance(given, dict):
            raise _refusal("requests", "must hold objects")
        began_s = monotonic_s()
        query = read_query(given)
        types = self._searcher.loader.collection(collection).corpus.fields.types
        if query.type == "facet":
            reply = self._searcher.search(collection, query.facet_search(types, self._budget_s))
            return _to_facet_hits(query, reply, began_s)
        reply = self._searcher.search(collection, query.to_request(types, self._budget_s))
        return _to_searched(query, reply, began_s)


def _to_searched(query: AlgoliaQuery, reply: SearchReply, began_s: float) -> dict[str, Any]:
    result, size = reply.result, max(query.shown, 1)
    hits = [] if query.is_beyond else reply.hits[: query.shown]
    listed = max(result.total, query.start + len(reply.hits) if reply.hits else 0)
    writer, shaping = HitWriter(query, result), result.shaping
    answer = AlgoliaSearched(
        hits=[writer.write(hit) for hit in hits],
        total=listed,
        page=query.page,
        pages=math.ceil(min(listed, WINDOW) / size) if query.shown else 0,
        hits_per_page=min(query.hits_per_page, MAX_HITS),
        facets={name: {_key(value): count for value, count in facet.values} for name, facet in result.facets.items()},
        facets_stats={
            name: {"min": facet.low, "max": facet.high}
            for name, facet in result.facets.items()
            if isinstance(facet.low, int | float) and isinstance(facet.high, int | float)
        },
        banners=[dict(banner) for banner in shaping.banners] or None,
        rendering={"redirect": {"url": shaping.redirect}} if shaping.redirect else None,
        query=query.query,
        index=query.index,
        query_id=result.impression.query_id if query.click_analytics else None,
        took_ms=_since_ms(began_s),
    )
    return answer.to_json()


def _to_facet_hits(query: AlgoliaQuery, reply: SearchReply, began_s: float) -> dict[str, Any]:
    facet = reply.result.facets.get(query.facet)
    hits = [
        {"value": _key(value), "highlighted": _highlight(_key(value), query), "count": count}
        for value, count in (facet.values if facet else ())
    ]
    return AlgoliaFacetHits(hits=hits, took_ms=_since_ms(began_s)).to_json()


def _highlight(value: str, query: AlgoliaQuery) -> str:
    """Return a value with the part that was asked for marked, where it stands as it was typed."""
    at = value.lower().find(query.facet_query.lower()) if query.facet_query else -1
    escape = html.escape if query.pre_tag.startswith("<") else str
    if at < 0 or fold(query.facet_query) not in fold(value):
        return escape(value)
    end = at + len(query.facet_query)
    marked = f"{query.pre_tag}{escape(value[at:end])}{query.post_tag}"
    return f"{escape(value[:at])}{marked}{escape(value[end:])}"


def _key(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _since_ms(began_s: float) -> int:
    return max(1, round(1000 * (monotonic_s() - began_s)))


def refuse_as_algolia(problem: ClickloopError) -> JSONResponse:
    """Return a refusal in Algolia's form."""
    status = 400 if problem.status == InvalidRequest.status else problem.status
    headers = {"Retry-After": str(problem.retry_after_s)} if problem.retryable else {}
    return JSONResponse({"message": problem.detail, "status": status}, status_code=status, headers=headers)


REFUSALS: tuple[tuple[str, Refusal], ...] = tuple((path, refuse_as_algolia) for path in (MANY, ONE, FACET))
"""How a request is refused before its route."""


def _refusal(field: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"{field} {reason}", (FieldFault(field, reason),))
