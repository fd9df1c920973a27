"""What an impression says of the experiment that its search was part of."""

from __future__ import annotations

from dataclasses import replace

from ab_testing.api import Assignment, Visitor
from foundation.contracts import Impression, query_key
from foundation.privacy.privacy import Privacy
from serving.live.collection_state import ServingSnapshot
from serving.ranking.pipeline import Ranking
from serving.records import SearchRequest


def read_visitor(request: SearchRequest, privacy: Privacy, query_id: str) -> Visitor:
    """Return who asks, under pseudonyms, and where."""
    return Visitor(
        user=privacy.person(request.user),
        session=privacy.person(request.session),
        conversation=privacy.person(request.conversation),
        query=query_id,
        surface=request.surface,
        attributes=request.attributes,
    )


def expose(
    draft: Impression,
    ranking: Ranking,
    assignment: Assignment | None,
    *,
    snapshot: ServingSnapshot,
    known: bool,
    took_s: float,
) -> Impression:
    """Return the impression with who ranked it; inside an experiment with everything that its verdict rests on.

    Args:
        known: Whether the search named its user.
        took_s: Seconds from the request to the ranked list.
    """
    shown = replace(draft, version=ranking.version, arm=ranking.arm, experiment=ranking.experiment)
    if assignment is None or assignment.forced:
        return shown
    arms = snapshot.arms[assignment.key]
    return replace(
        shown,
        run=assignment.run,
        plan_hash=assignment.plan_hash,
        drawn_by=assignment.unit,
        first_difference=ranking.first_difference,
        had_evidence=arms[assignment.arms[0].name].knows(query_key(draft.query)),
        known=known,
        took_ms=round(1000 * took_s, 3),
    )
