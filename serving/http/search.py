"""The HTTP routes of search: `POST /v1/search`, and `GET` for those who want an address."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, ValidationError

from foundation.errors import FieldFault, InvalidRequest
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection
from foundation.web.routes.answers import write_answer
from serving.http.search_bodies import SearchIn, SearchOut, to_answer
from serving.search import Searcher

CONSOLE_PATH = "/console/search"
"""Where the console asks, whose pages have the key that a browser remembers; the apps' route does not take it."""


class SearchAddress(BaseModel):
    """A search as the query string of an address: the same fields as of the other route, those of most use."""

    q: str = Field("", description="The query; empty or * for everything.")
    limit: int = Field(10, description="Most results of the page.")
    offset: int = Field(0, description="Results on the pages before.")
    query_id: str = Field("", description="Of the first page's answer, for a further page.")
    user: str = Field("", description="The person's id.")
    session: str = Field("", description="The visit's id.")
    filters: str = Field("", description="A filter, as JSON.")
    sort: str = Field("", description="Fields to sort by, with commas between them.")
    facets: str = Field("", description="Fields whose values are counted, with commas between them.")
    highlight: str = Field("", description="html or offsets.")
    cursor: str = Field("", description="* or the cursor of the page before.")

    def to_fields(self) -> dict[str, Any]:
        """Return the fields of the search that it stands for; InvalidRequest where the filter is no JSON."""
        same = ("limit", "offset", "query_id", "user", "session", "cursor")
        given: dict[str, Any] = {"query": self.q} | {name: getattr(self, name) for name in same}
        given |= {name: text.split(",") for name in ("sort", "facets") if (text := getattr(self, name))}
        given |= {"filters": _read_filters(self.filters)} if self.filters else {}
        return given | ({"highlight": self.highlight} if self.highlight else {})


def make_router(searcher: Searcher, budget_ms: float) -> APIRouter:
    """Return the routes of search.

    Args:
        budget_ms: Time an answer may take when the request does not say.
    """
    router = APIRouter(tags=["search"])

    def answer(collection: str, wanted: SearchIn) -> Response:
        reply = searcher.search(collection, wanted.to_request(budget_ms))
        return write_answer(to_answer(reply, wanted))

    @router.post(CONSOLE_PATH, include_in_schema=False)
    @router.post("/v1/search", response_model=SearchOut, responses=problem_responses(400, 404, 413, 422, 503))
    def search(wanted: SearchIn, collection: Collection) -> Response:
        """Search by words and by meaning; the impression is durable when the answer comes, or `logged` is false."""
        return answer(collection, wanted)

    @router.get("/v1/search", response_model=SearchOut, responses=problem_responses(404, 422, 503))
    def search_by_address(collection: Collection, given: Annotated[SearchAddress, Query()]) -> Response:
        """Search by an address that can be kept."""
        return answer(collection, _validate(given.to_fields()))

    return router


def _read_filters(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        reason = "must be a filter as JSON"
        raise InvalidRequest(f"filters {reason}", (FieldFault("filters", reason),)) from problem


def _validate(given: dict[str, Any]) -> SearchIn:
    try:
        return SearchIn.model_validate(given)
    except ValidationError as problem:
        faults = tuple(
            FieldFault(".".join(map(str, error["loc"])) or "query", error["msg"]) for error in problem.errors()
        )
        raise InvalidRequest(f"{faults[0].field}: {faults[0].reason}", faults) from problem
