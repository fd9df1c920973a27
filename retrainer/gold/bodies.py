"""The bodies of the routes of the gold set."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from retrainer.gold.judgment import MAX_GRADE

MAX_BATCH = 1000
"""So many judgments, or queries, at most come in one request."""

QueryText = Annotated[str, Field(min_length=1, max_length=1000, description="The query as people ask it.")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class GoldIn(_Body):
    """One judgment."""

    query: QueryText
    document_id: str = Field(min_length=1, max_length=256)
    grade: int = Field(ge=0, le=MAX_GRADE, description="0 does not answer; people usually give up to 3.")


class GoldRemoval(_Body):
    """Queries to take out of the set."""

    queries: list[QueryText] = Field(min_length=1, max_length=MAX_BATCH)


class GoldCount(_Answer):
    """How many judgments were changed."""

    judgments: int


class GoldOut(GoldIn):
    """One judgment as it stands."""

    judged_at: datetime
    actor: str = Field(description="Who judged.")


class GoldPage(_Answer):
    """Judgments by query and document."""

    judgments: list[GoldOut]
    queries: int = Field(description="Different queries in the whole set.")
    total: int = Field(description="Judgments in the whole set.")


class PooledOut(_Answer):
    """A document to judge."""

    id: str
    title: str
    url: str
    snippet: str


class SampledOut(_Answer):
    """A query to judge."""

    query: str
    searches: int = Field(description="How often it was asked in the last four weeks.")
    uncertainty: float = Field(description="Of the answer that is given now, from 0 to 1.")
    documents: list[PooledOut] = Field(description="In no order that tells which way of searching found them.")


class GoldSample(_Answer):
    """Queries to judge next."""

    queries: list[SampledOut]
