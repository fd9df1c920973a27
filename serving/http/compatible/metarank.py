"""Metarank's ranking, `POST /rank/{model}`, beside its `/feedback`: its clients rank and report here unmodified.

Formats: https://docs.metarank.ai/reference/api and https://docs.metarank.ai/reference/event-schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from foundation.clock import monotonic_s
from foundation.contracts import BROWSE
from foundation.errors import FieldFault, InvalidRequest
from foundation.texts import query_fault
from foundation.web.problems import problem_responses
from foundation.web.requests import collection_of
from serving.http.inputs import CandidateId, Name, RankingId
from serving.http.rank import MAX_BYTES_OF_IDS, MAX_CANDIDATES
from serving.order.candidates import Candidate
from serving.order.reorderer import Reorderer
from serving.records import SearchRequest

PATH = "/rank/{model}"

_MAX_FIELDS = 256
_MAX_TITLE = 1000
_RELEVANCY = "relevancy"


class MetarankField(BaseModel):
    """A property of an item or of the ranking."""

    model_config = ConfigDict(extra="ignore")

    name: str = Field(max_length=256)
    value: Any = None


class MetarankItem(BaseModel):
    """An item to rank."""

    model_config = ConfigDict(extra="ignore")

    id: CandidateId
    fields: list[MetarankField] | None = Field(None, max_length=_MAX_FIELDS)
    relevancy: float | None = Field(None, allow_inf_nan=False)

    def to_candidate(self) -> Candidate:
        """Return the item as it is ranked."""
        held = {one.name: one.value for one in self.fields or ()}
        score = held.get(_RELEVANCY) if self.relevancy is None else self.relevancy
        title = held.get("title")
        return Candidate(
            self.id,
            float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None,
            title[:_MAX_TITLE] if isinstance(title, str) else "",
        )


class MetarankRanking(BaseModel):
    """A ranking event, as Metarank's clients send it."""

    model_config = ConfigDict(extra="ignore")

    id: RankingId
    timestamp: int | str = Field(description="Of the request; what counts is when it comes in.")
    user: Name | None = None
    session: Name | None = None
    fields: list[MetarankField] | None = Field(
        None, max_length=_MAX_FIELDS, description="The one named query is what was asked."
    )
    items: list[MetarankItem] = Field(min_length=1, max_length=MAX_CANDIDATES)

    @model_validator(mode="after")
    def _ids_can_be_logged(self) -> Self:
        if sum(len(one.id.encode()) for one in self.items) > MAX_BYTES_OF_IDS:
            raise ValueError(f"items must have ids of at most {MAX_BYTES_OF_IDS} bytes together")
        return self

    def query(self) -> str:
        """Return what was asked, `*` where nothing was.

        Raises:
            InvalidRequest: It cannot be kept.
        """
        found = next((one.value for one in self.fields or () if one.name == "query"), "")
        if not isinstance(found, str):
            raise _refusal("must be a string")
        if reason := query_fault(found):
            raise _refusal(reason)
        return (found.strip() and found) or BROWSE

    def candidates(self) -> list[Candidate]:
        """Return the items, each id once: by their relevancy where all have one, else as they were sent."""
        first: dict[str, Candidate] = {}
        for item in self.items:
            first.setdefault(item.id, item.to_candidate())
        found = list(first.values())
        if any(one.score is None for one in found):
            return found
        return sorted(found, key=lambda one: -(one.score or 0.0))


class MetarankScore(BaseModel):
    """An item's place; `features` when explained."""

    item: str
    score: float
    features: list[MetarankField] = Field(default_factory=list)


class MetarankRanked(BaseModel):
    """The items, best first."""

    took: int = Field(description="Milliseconds.")
    items: list[MetarankScore]


def make_router(reorderer: Reorderer, budget_ms: float) -> APIRouter:
    """Return Metarank's route of ranking.

    Args:
        budget_ms: Time an answer may take.
    """
    router = APIRouter(tags=["compatible search"])

    @router.post(PATH, responses=problem_responses(400, 413, 422, 503))
    def rank(
        model: Annotated[str, Path(description="Any name: the version that serves ranks, or an experiment's.")],  # noqa: ARG001  part of Metarank's address
        wanted: MetarankRanking,
        collection: Annotated[str, Depends(collection_of)],
        explain: Annotated[bool, Query(description="Add what each part of the score is.")] = False,
    ) -> MetarankRanked:
        """Order items as POST /v1/rank does; the ranking's `id` is what feedback about it names."""
        began_s = monotonic_s()
        candidates = wanted.candidates()
        request = SearchRequest(
            query=wanted.query(),
            own_id=wanted.id,
            limit=len(candidates),
            user=wanted.user or "",
            session=wanted.session or "",
            budget_s=budget_ms / 1000,
        )
        hits = reorderer.rank(collection, request, candidates).ranking.hits
        items = [
            MetarankScore(item=hit.document_id, score=hit.score, features=_parts(hit.parts, explain)) for hit in hits
        ]
        return MetarankRanked(took=round(1000 * (monotonic_s() - began_s)), items=items)

    return router


def _parts(parts: Mapping[str, float], explain: bool) -> Sequence[MetarankField]:
    return [MetarankField(name=name, value=value) for name, value in parts.items()] if explain else []


def _refusal(reason: str) -> InvalidRequest:
    return InvalidRequest(f"the field query {reason}", (FieldFault("fields.query", reason),))
