"""The HTTP route of diagnoses."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from foundation.registry.names import MAX_NAME, NAME_PATTERN
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection
from retrainer.diagnosis.diagnosis import VersionDiagnosis
from retrainer.diagnosis.reads import Diagnoser


def make_router(diagnoser: Diagnoser) -> APIRouter:
    """Return the route of diagnoses."""
    router = APIRouter(tags=["versions"])

    @router.get("/v1/versions/{version}/diagnosis", responses=problem_responses(404, 422))
    def diagnose_version(
        version: Annotated[str, Path(description="Its id or name.", max_length=MAX_NAME, pattern=NAME_PATTERN)],
        collection: Collection,
    ) -> VersionDiagnosis:
        """Say why a version that the gate found better changes nothing for its users: every cause with its number.

        Reads stored searches and experiments and changes nothing; takes some seconds.
        """
        return diagnoser.diagnose(collection, version)

    return router
