"""The HTTP route of reordering: `POST /v1/rank`, for those who keep their engine."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, model_validator

from foundation.web.problems import problem_responses
from foundation.web.requests import collection_of
from serving.http.inputs import ArmName, Attributes, CandidateId, Name, QueryText, Surface
from serving.order.candidates import Candidate
from serving.order.reorderer import Reorderer
from serving.ranking.pipeline import RankedHit
from serving.records import RankedAnswer, SearchRequest

MAX_CANDIDATES = 1000
MAX_TITLE = 1000
MAX_TEXT = 10_000
MAX_FIELDS = 64
MAX_BYTES_OF_IDS = 400_000
"""All ids together, so that the list fits into one record of the log."""


class CandidateIn(BaseModel):
    """One document that your engine found; it need not be in the catalog."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: CandidateId
    rank: int | None = Field(None, ge=1, le=1_000_000, description="Its rank in your engine's list, 1 on top.")
    score: float | None = Field(None, allow_inf_nan=False, description="Your engine's score; larger is better.")
    title: str = Field("", max_length=MAX_TITLE, description="Compared with the query by versions that have learned.")
    text: str = Field("", max_length=MAX_TEXT, description="What it says.")
    fields: dict[str, Any] = Field(default_factory=dict, max_length=MAX_FIELDS, description="Further properties.")


class RankIn(BaseModel):
    """What your engine found for a query."""

    model_config = ConfigDict(extra="forbid", strict=True)

    query: QueryText = Field(description="What the user typed.", examples=["print envelopes"])
    candidates: list[CandidateIn] = Field(
        min_length=1,
        max_length=MAX_CANDIDATES,
        description="In your engine's order, or each with its rank. Of equal ids the first counts.",
        examples=[[{"id": "envelope", "score": 9.1}, {"id": "label", "score": 7.4}]],
    )
    limit: int | None = Field(None, ge=1, le=MAX_CANDIDATES, description="Most results returned and logged; all.")
    user: Name = Field("", description="The person's id; experiments and caps count persons.")
    session: Name = Field("", description="The visit's id, for people without one of their own.")
    conversation: Name = Field("", description="The conversation's id, for experiments that draw conversations.")
    attributes: Attributes = Field(default_factory=dict, description="As in a search.", examples=[{"country": "at"}])
    budget_ms: float | None = Field(None, gt=0, le=60_000, description="Time the answer may take.")
    surface: Surface = Field("page", description="Where the answer is shown, such as page or agent.")
    explain: bool = Field(False, description="Add what each part of the score is, and the time of every stage.")
    log: bool = Field(True, description="false: leave no impression and join no experiment.")
    arm: ArmName = Field("", description="As in a search.")

    @model_validator(mode="after")
    def _ids_can_be_logged(self) -> Self:
        if sum(len(one.id.encode()) for one in self.candidates) > MAX_BYTES_OF_IDS:
            raise ValueError(f"candidates must have ids of at most {MAX_BYTES_OF_IDS} bytes together")
        return self

    @model_validator(mode="after")
    def _ranks_are_of_all(self) -> Self:
        ranked = sum(one.rank is not None for one in self.candidates)
        if ranked not in (0, len(self.candidates)):
            raise ValueError("candidates must all have a rank, or none: their order is that of the list then")
        return self

    def in_order(self) -> list[Candidate]:
        """Return the candidates in the engine's order, each id once."""
        ordered = sorted(self.candidates, key=lambda one: one.rank or 0)  # stable: without ranks, as they came
        first: dict[str, Candidate] = {}
        for one in ordered:
            first.setdefault(one.id, Candidate(one.id, one.score, one.title, one.text, one.fields))
        return list(first.values())


class RankedOut(BaseModel):
    """One result."""

    id: str
    rank: int = Field(description="1 on top.")
    engine_rank: int = Field(description="Its rank in your engine's list, each id counted once.")
    score: float = Field(description="What it was ranked by; log-odds up to a constant.")
    scores: dict[str, float] = Field(description="When explained: engine, learned, owner, evidence; they add up to it.")
    team: str = Field(description="The side that contributed it to an interleaved list, else empty.")
    rule: str = Field(description="The rule that put it at its rank, else empty; nothing is learned from it there.")


class RankOut(BaseModel):
    """An order. Send its `query_id` with every event about it."""

    query_id: str
    version: str = Field(description="The version that ranked; of an interleaved list, the control.")
    arm: str = Field(description="As in the answer to a search.")
    experiment: str = Field(description="The experiment it belongs to, else empty.")
    logged: bool = Field(description="Whether its impression is durable; events about others find no list.")
    hits: list[RankedOut]
    skipped: list[str] = Field(description="Stages left out to answer in time: meaning.")
    stages_ms: dict[str, float] | None = Field(None, description="Milliseconds by stage, when explained.")


def make_router(reorderer: Reorderer, budget_ms: float) -> APIRouter:
    """Return the route of reordering.

    Args:
        budget_ms: Time an answer may take when the request does not say.
    """
    router = APIRouter(tags=["search"])

    @router.post("/v1/rank", responses=problem_responses(400, 413, 422, 503))
    def rank(wanted: RankIn, collection: Annotated[str, Depends(collection_of)]) -> RankOut:
        """Order what your engine found; the impression is durable when the answer comes, or `logged` is false."""
        candidates = wanted.in_order()
        request = SearchRequest(
            query=wanted.query,
            limit=wanted.limit or len(candidates),
            user=wanted.user,
            session=wanted.session,
            conversation=wanted.conversation,
            attributes=wanted.attributes,
            surface=wanted.surface,
            budget_s=(wanted.budget_ms or budget_ms) / 1000,
            log=wanted.log,
            arm=wanted.arm,
        )
        return _to_answer(reorderer.rank(collection, request, candidates), explain=wanted.explain)

    return router


def _to_answer(answer: RankedAnswer, *, explain: bool) -> RankOut:
    ranking, timer = answer.ranking, answer.timer
    return RankOut(
        query_id=answer.impression.query_id,
        version=ranking.version,
        arm=ranking.arm,
        experiment=ranking.experiment,
        logged=answer.logged,
        hits=[_to_hit(rank, hit, explain=explain) for rank, hit in enumerate(ranking.hits, start=1)],
        skipped=list(answer.skipped),
        stages_ms={stage: round(1000 * s, 3) for stage, s in timer.seconds.items()} if explain else None,
    )


def _to_hit(rank: int, hit: RankedHit, *, explain: bool) -> RankedOut:
    return RankedOut(
        id=hit.document_id,
        rank=rank,
        engine_rank=hit.row + 1,
        score=round(hit.score, 6),
        scores={name: round(value, 5) for name, value in hit.parts.items()} if explain else {},
        team=hit.team,
        rule=hit.rule,
    )
