"""What every answer goes through: who asks, which arm of an experiment ranks, and that it is logged."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TypeVar

from ab_testing.api import Assignment, Assignments, Visitor
from foundation.clock import Clock
from foundation.contracts import Impression, ShownResult
from foundation.errors import FieldFault, InvalidRequest, NotReady
from foundation.privacy.privacy import Privacy
from foundation.privacy.signing import QueryIds
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import SKIPPED, STAGE_SECONDS
from serving.admission import Admission
from serving.exposure import read_visitor
from serving.impressions import ImpressionLog
from serving.live.collection_state import ServingSnapshot
from serving.ranking.pipeline import RankedHit
from serving.records import RankedAnswer, SearchRequest

Answer = TypeVar("Answer", bound=RankedAnswer)

_log = get_log("search")
_LOG_SHARE = 0.5
"""The share of a search's budget that may be spent on waiting for the log."""

_MIN_LOG_WAIT_S = 0.05
"""A log that is there takes no longer. So much is waited even where the search is late already."""

_IDLE = frozenset({"wait", "log"})
"""Parts of a search in which the processor is left to others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Begins and ends the answers to searches. Safe to use from many threads.

    Attributes:
        privacy: What is kept of people.
        tell_queries: Whether the log lines of searches hold what was asked.
    """

    assignments: Assignments
    impressions: ImpressionLog
    admission: Admission
    clock: Clock
    privacy: Privacy
    query_ids: QueryIds
    tell_queries: bool = False

    def draft(self, collection: str, request: SearchRequest) -> tuple[Visitor, Impression]:
        """Return who asks, and what is known of the impression before anything is ranked. Caps count the unit.

        Raises:
            InvalidRequest: The search that is to go on was none of this collection.
        """
        now = self.clock.now()
        query_id = request.own_id or request.query_id or self.query_ids.issue(collection, now)
        if not (request.own_id or self.query_ids.issued(collection, query_id)):
            reason = "must be that of an earlier answer to a search of this collection"
            raise InvalidRequest(f"query_id {reason}", (FieldFault("query_id", reason),))
        visitor = read_visitor(request, self.privacy, query_id)
        draft = Impression(
            collection=collection,
            query_id=query_id,
            query=self.privacy.text(request.query),
            unit=visitor.user or visitor.session or query_id,
            version="",
            results=(),
            at=now,
            surface=request.surface,
        )
        return visitor, draft

    def assign(
        self, snapshot: ServingSnapshot, draft: Impression, visitor: Visitor, request: SearchRequest, *, joins: bool
    ) -> Assignment | None:
        """Return what an experiment gives the search; None also while this replica cannot serve one of its arms.

        All arms must be ready here, so that a slow load cannot keep one arm's users out. An engine outside clickloop
        ranks where the app asks it: whoever asks here in its place gets the champion, outside the experiment. What
        cannot be logged joins none.

        Args:
            joins: Whether it is ranked as the experiment's others are.

        Raises:
            InvalidRequest: The arm that is asked for is none.
            NotReady: The arm that is asked for is not loaded.
        """
        if request.arm:
            assignment = self.assignments.force(draft.collection, request.arm, visitor, draft.query)
            if assignment.key not in snapshot.arms:
                raise NotReady(f"the arms of experiment {assignment.experiment} are not loaded; /readyz says why")
            return assignment
        if not (joins and request.log) or self.impressions.away:
            return None
        found = self.assignments.assign(draft.collection, visitor, draft.query, interleaves=request.shows_drafts)
        return found if found and not found.engine and found.key in snapshot.arms else None

    def publish(self, answer: RankedAnswer, hits: Iterable[RankedHit]) -> Future[None] | None:
        """Begin to log the hits that are shown of an answer; `settle` waits for it."""
        if not answer.request.log:
            return None
        return self.impressions.publish(replace(answer.impression, results=_to_results(hits, answer.request.offset)))

    def settle(self, answer: Answer, append: Future[None] | None) -> Answer:
        """Wait for the log within the search's budget, and learn from how long each stage took.

        An answer whose impression is not durable leaves its experiment: it could not be counted as an exposure.
        """
        if answer.request.log:
            left_s = min(answer.until_s - self.admission.now(), _LOG_SHARE * answer.request.budget_s)
            logged = self.impressions.arrives(append, max(left_s, _MIN_LOG_WAIT_S))
            answer.timer.end("log")
            ranking = answer.ranking
            if ranking.experiment and not logged:
                ranking = replace(ranking, experiment="", arm="")
            answer = replace(answer, logged=logged, ranking=ranking)
        self._note(answer)
        return answer

    def _note(self, answer: RankedAnswer) -> None:
        """Count, log and learn how long the stages took."""
        seconds = answer.timer.seconds
        for stage, duration_s in seconds.items():
            STAGE_SECONDS.labels(stage).observe(duration_s)
        for stage in answer.late:
            SKIPPED.labels(stage).inc()
        self.admission.learn({part: duration_s for part, duration_s in seconds.items() if part not in _IDLE})
        _log.debug(
            "searched",
            collection=answer.impression.collection,
            query_id=answer.impression.query_id,
            version=answer.ranking.version,
            surface=answer.request.surface,
            skipped=list(answer.skipped),
            milliseconds=round(1000 * sum(seconds.values()), 1),
            **({"query": answer.impression.query} if self.tell_queries else {}),
        )


def _to_results(hits: Iterable[RankedHit], offset: int) -> tuple[ShownResult, ...]:
    return tuple(
        ShownResult(
            id=hit.document_id,
            rank=rank,
            score=round(hit.score, 6),
            team=hit.team,
            propensity=round(hit.propensity, 6),
            own_ranks=hit.own_ranks,
            forced=bool(hit.rule),
        )
        for rank, hit in enumerate(hits, start=offset + 1)
    )
