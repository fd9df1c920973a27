"""The HTTP route for chatbots: `POST /v1/context` gives the passages that answer a question."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from foundation.contracts import Document
from foundation.web.problems import problem_responses
from foundation.web.requests import collection_of
from serving.http.inputs import Attributes, Name, QueryText, Surface
from serving.present.context import Excerpt, RankedPassage, assemble
from serving.present.links import link_of
from serving.records import CONTEXT, SearchRequest, SearchResult
from serving.search import Searcher

MAX_TOKENS = 16_000
_DOCUMENTS = 10


class ContextIn(BaseModel):
    """A question that a chatbot is about to answer."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: QueryText = Field(description="What the person asked.", examples=["how do I print an envelope"])
    budget_tokens: int = Field(1000, ge=20, le=MAX_TOKENS, description="Most tokens, counted as four characters each.")
    documents: int = Field(_DOCUMENTS, ge=1, le=50, description="Most documents that passages are taken from.")
    user: Name = Field("", description="The person's id; experiments and caps count persons.")
    session: Name = Field("", description="The visit's id, for people without one of their own.")
    conversation: Name = Field("", description="The conversation's id, for experiments that draw conversations.")
    attributes: Attributes = Field(
        default_factory=dict,
        description="What else is known of the search, for experiments on a part of the searches; not kept.",
        examples=[{"country": "at"}],
    )
    filters: Any = Field(None, description="As in a search.")
    surface: Surface = Field(CONTEXT, description="Where the answer is shown.")
    log: bool = Field(
        True,
        description="false: leave no impression and join no experiment. Passages stand in an order of their own, so "
        "they join A/B experiments only.",
    )


class ExcerptOut(BaseModel):
    """Neighbouring passages of one document."""

    document_id: str
    rank: int = Field(description="Of its document in the impression, for feedback; 1 on top.")
    title: str
    url: str
    text: str
    score: float = Field(description="How well it answers; comparable within one reply.")
    tokens: int


class ContextOut(BaseModel):
    """What answers the question. Send its `query_id` with every event about it."""

    query_id: str
    version: str
    arm: str
    experiment: str
    logged: bool = Field(description="Whether its impression is durable; events about others find no list.")
    tokens: int = Field(description="Of all passages together.")
    passages: list[ExcerptOut] = Field(description="Best first.")


def make_router(searcher: Searcher, budget_ms: float) -> APIRouter:
    """Return the route of context.

    Args:
        budget_ms: Time that finding them may take.
    """
    router = APIRouter(tags=["search"])

    @router.post("/v1/context", responses=problem_responses(400, 404, 413, 422, 503))
    def context(wanted: ContextIn, collection: Annotated[str, Depends(collection_of)]) -> ContextOut:
        """Find the passages that answer a question; their impression is durable then, or `logged` is false."""
        request = SearchRequest(
            query=wanted.question,
            limit=wanted.documents,
            user=wanted.user,
            session=wanted.session,
            conversation=wanted.conversation,
            attributes=wanted.attributes,
            filters=wanted.filters,
            budget_s=budget_ms / 1000,
            surface=wanted.surface,
            log=wanted.log,
            rearranged=True,
            operators=False,
        )
        result = searcher.find(collection, request)
        excerpts = assemble(_passages(result), wanted.budget_tokens)
        order = list(dict.fromkeys(excerpt.document for excerpt in excerpts))
        append = searcher.answers.publish(result, [result.ranking.hits[number] for number in order])
        result.timer.end("context")
        return _to_answer(searcher.answers.settle(result, append), excerpts, order)

    return router


def _passages(result: SearchResult) -> list[RankedPassage]:
    """Return the passages of all documents found, scored by their own meaning and their document's score."""
    hits, corpus = result.ranking.hits, result.corpus
    best = max((hit.score for hit in hits), default=0.0)
    passages = []
    for number, (hit, near) in enumerate(
        zip(hits, corpus.nearness([hit.row for hit in hits], result.query.vector), strict=True)
    ):
        texts = corpus.passages(hit.row)
        document_score = 1 / (1 + math.exp(best - hit.score))
        passages += [
            RankedPassage(document=number, position=position, text=text, score=cosine + document_score)
            for position, (text, cosine) in enumerate(zip(texts, near or [0.0] * len(texts), strict=True))
            if text
        ]
    return passages


def _to_answer(result: SearchResult, excerpts: list[Excerpt], order: list[int]) -> ContextOut:
    documents = {
        number: (rank, result.corpus.document(result.ranking.hits[number].row))
        for rank, number in enumerate(order, start=1)
    }
    return ContextOut(
        query_id=result.impression.query_id,
        version=result.ranking.version,
        arm=result.ranking.arm,
        experiment=result.ranking.experiment,
        logged=result.logged,
        tokens=sum(excerpt.tokens for excerpt in excerpts),
        passages=[_to_excerpt(excerpt, *documents[excerpt.document]) for excerpt in excerpts],
    )


def _to_excerpt(excerpt: Excerpt, rank: int, document: Document) -> ExcerptOut:
    return ExcerptOut(
        document_id=document.id,
        rank=rank,
        title=document.title,
        url=link_of(document.url),
        text=excerpt.text,
        score=round(excerpt.score, 5),
        tokens=excerpt.tokens,
    )
