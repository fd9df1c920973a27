"""The HTTP of webhooks: which messages wait, arrived, or were given up."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from ab_testing.webhooks import store
from ab_testing.webhooks.store import DeliveryState, WebhookDelivery
from foundation.database.engine import reading
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection


class DeliveryOut(BaseModel):
    """A message about a decision for one receiver."""

    decision: str = Field(description="The decision's id, which is the message's.")
    host: str = Field(description="Whose it is; the rest of its URL may be a secret.")
    state: DeliveryState = Field(description="waiting, delivered, or given_up after the last attempt.")
    attempts: int = Field(description="Attempts so far.")
    at: datetime = Field(description="When it was last tried, or is tried next while it waits.")
    told: str = Field(description="How the last attempt ended.")


class DeliveryList(BaseModel):
    """Messages about decisions."""

    deliveries: list[DeliveryOut] = Field(description="Newest decision first.")


def make_router(engine: sa.Engine) -> APIRouter:
    """Return the route of webhooks."""
    router = APIRouter(tags=["experiments"])

    @router.get("/v1/webhooks", responses=problem_responses(422))
    def list_deliveries(
        collection: Collection,
        limit: Annotated[int, Query(description="Most messages to list.", ge=1, le=1000)] = 100,
    ) -> DeliveryList:
        """List the messages about the collection's decisions, and how far each has come."""
        with reading(engine) as connection:
            found = store.latest(connection, collection, limit)
        return DeliveryList(deliveries=[_told(one) for one in found])

    return router


def _told(one: WebhookDelivery) -> DeliveryOut:
    return DeliveryOut(
        decision=one.decision,
        host=urlsplit(one.url).hostname or "",
        state=one.state,
        attempts=one.attempts,
        at=one.next_at,
        told=one.told,
    )
