"""HTTP: a person is erased by `DELETE /v1/users/{id}`, and the receipt can be checked ever after."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from collector.intake.schemas.native import MAX_USER
from collector.privacy.erasure import Eraser
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection, actor_of


class ReceiptOut(BaseModel):
    """What an erasure did. It holds no more of the person than a pseudonym."""

    id: str
    collection: str
    person: str = Field(description="The erased person's pseudonym.")
    at: datetime
    counts: dict[str, int] = Field(
        description="Deleted impressions, events, dead letters and log records; changed rows of evidence."
    )
    versions: list[str] = Field(description="Versions that may have learned from the person; they want retraining.")
    change: int = Field(description="Number of the change of the evidence.")
    actor: str = Field(description="Who asked for it; empty for receipts made before that was recorded.")
    signature: str = Field(description="HMAC-SHA256 by the installation's key over all of the above.")


class AuditOut(ReceiptOut):
    """An earlier receipt, and what a new count found."""

    genuine: bool = Field(description="Whether the stored receipt is as it was signed.")
    erased: bool = Field(description="Whether nothing is left from before the erasure.")
    remaining: dict[str, int] = Field(description="What is stored of the person from before it, by table.")


def make_router(eraser: Eraser) -> APIRouter:
    """Return the routes of erasure."""
    router = APIRouter(tags=["privacy"])

    @router.delete("/v1/users/{user:path}", responses=problem_responses(422, 503))
    def erase_user(
        user: Annotated[str, Path(min_length=1, max_length=MAX_USER, description="The id as your app sends it.")],
        collection: Collection,
        request: Request,
    ) -> ReceiptOut:
        """Erase a person: searches, events, what they weigh in the evidence, dead letters and waiting records."""
        return ReceiptOut(**asdict(eraser.erase(collection, user, actor_of(request))))

    @router.get("/v1/erasures/{receipt}", responses=problem_responses(404, 422))
    def check_erasure(
        receipt: Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_-]+$")], collection: Collection
    ) -> AuditOut:
        """Check an erasure: is its receipt genuine, and is nothing left of the person from before it."""
        found = eraser.audit(collection, receipt)
        left = any(found.remaining.values())
        return AuditOut(**asdict(found.receipt), genuine=found.genuine, erased=not left, remaining=found.remaining)

    return router
