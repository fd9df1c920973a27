"""HTTP: who is in quarantine, and the buttons that hold and release."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from collector.quarantine.quarantine import Quarantine, Suspect
from foundation.privacy.privacy import Privacy
from foundation.privacy.signing import QueryIds
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection, actor_of


class QuarantineList(BaseModel):
    """Who is or was held, those held first, the latest on top."""

    quarantine: list[Suspect]


def make_router(quarantine: Quarantine, privacy: Privacy, query_ids: QueryIds) -> APIRouter:
    """Return the routes of the quarantine, which know users by their ids and by what stands for them.

    A query id issued here is itself: its list is nameless, and may not be folded yet.
    """
    router = APIRouter(prefix="/v1/quarantine", tags=["feedback"])

    def unit_of(collection: str, given: str) -> str:
        if query_ids.issued(collection, given):
            return given
        return quarantine.find_unit(collection, given) or privacy.person(given)

    @router.get("", responses=problem_responses(422))
    def list_quarantine(collection: Collection, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> QuarantineList:
        """List the users whose feedback does not count, with the reasons, and those released."""
        return QuarantineList(quarantine=list(quarantine.list(collection, limit)))

    @router.post("/{unit:path}/release", responses=problem_responses(404, 409, 422))
    def release_user(unit: str, request: Request, collection: Collection) -> Suspect:
        """Let a user's feedback count again, all of it; the same marks do not hold the user a second time."""
        return quarantine.release(collection, unit_of(collection, unit), actor_of(request))

    @router.post("/{unit:path}/hold", responses=problem_responses(409, 422))
    def hold_user(unit: str, request: Request, collection: Collection) -> Suspect:
        """Hold a user by hand: what was counted of the user is taken out, and what comes does not count.

        A list of a search without user and session is held by its query id. `lists` says how many stored ones it hits.
        """
        return quarantine.hold(collection, unit_of(collection, unit), actor_of(request))

    return router
