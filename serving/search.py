"""Answers a search: which version ranks, what is shown, what is logged."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ab_testing.api import Assignment, Assignments, Visitor
from foundation.clock import Clock
from foundation.contracts import Impression, ShownResult, query_key
from foundation.errors import NotReady
from foundation.privacy.privacy import Privacy
from foundation.privacy.signing import QueryIds
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import SKIPPED, STAGE_SECONDS
from serving.admission import Admission
from serving.arms import rank_for
from serving.exposure import expose, read_visitor
from serving.first_stages import FirstStages
from serving.impressions import ImpressionLog
from serving.index.corpus import Corpus
from serving.index.fields.filters import Condition, parse_filter
from serving.index.fields.request import SortKey, parse_facets, parse_sort
from serving.index.fields.values import FieldType
from serving.live.collection_state import ServingSnapshot
from serving.live.loader import Loader
from serving.present.snippet import cut_snippet
from serving.ranking.pipeline import RankedHit
from serving.ranking.stage_timer import StageTimer
from serving.records import RenderedHit, SearchReply, SearchRequest, SearchResult

_FACET_VALUES = 20
_log = get_log("search")
_LOG_SHARE = 0.5
"""The share of a search's budget that may be spent on waiting for the log."""

_MIN_LOG_WAIT_S = 0.05
"""A log that is there takes no longer. So much is waited even where the search is late already."""

_IDLE = frozenset({"wait", "log"})
"""Parts of a search in which the processor is left to others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Searcher:
    """Serves searches over the collections of a loader. Safe to use from many threads.

    Attributes:
        privacy: What is kept of people.
        tell_queries: Whether the log lines of searches hold what was asked.
    """

    loader: Loader
    assignments: Assignments
    impressions: ImpressionLog
    admission: Admission
    clock: Clock
    privacy: Privacy
    query_ids: QueryIds
    tell_queries: bool = False

    def search(self, collection: str, request: SearchRequest) -> SearchReply:
        """Return the answer to a search; its impression is durable then, or the answer says that it is not.

        Raises:
            NotFound: The collection has no documents.
            NotReady: No version of it serves yet.
            InvalidRequest: Filter, sort or facets do not fit the collection's fields.
        """
        result = self.find(collection, request)
        append = self.publish(result, result.ranking.hits)
        hits = _render(result)  # while the disk is at work
        result.timer.end("snippet")
        return SearchReply(self.settle(result, append), hits, result.query.meant)

    def find(self, collection: str, request: SearchRequest) -> SearchResult:
        """Return what a search finds, without logging it; raises what `search` does."""
        timer = StageTimer()
        snapshot = self.loader.collection(collection).snapshot
        condition, sort, facets = _read_scope(snapshot.corpus, request)
        visitor, draft = self._draft(collection, request)
        until_s = self.admission.now() + request.budget_s
        with self.admission.turn():
            timer.end("wait")
            late = self.admission.stages_to_shed(until_s - self.admission.now())
            skipped = tuple(dict.fromkeys((*request.without, *late)))
            asked = FirstStages(
                snapshot, request.query, query_key(draft.query), condition=condition, skipped=skipped, timer=timer
            )
            joins = request.log and not (late or sort or self.impressions.away)
            assignment = self._assign(snapshot, draft, visitor, request, joins=joins)
            ranking, space = rank_for(snapshot, asked, request.k, sort=sort, assignment=assignment, timer=timer)
            impression = expose(
                draft, ranking, assignment, snapshot=snapshot, known=bool(visitor.user), took_s=timer.total_s
            )
            counted = _count(space.corpus, ranking.candidates, facets)
            timer.end("facets")
        query = asked.retrieve(space).query
        if query.unread and "meaning" not in skipped:
            skipped = (*skipped, "meaning")
        return SearchResult(
            request=request,
            corpus=space.corpus,
            query=query,
            ranking=ranking,
            impression=impression,
            facets=counted,
            skipped=skipped,
            late=late,
            timer=timer,
            until_s=until_s,
        )

    def publish(self, result: SearchResult, hits: Iterable[RankedHit]) -> Future[None] | None:
        """Begin to log the hits that are shown of a result; `settle` waits for it."""
        if not result.request.log:
            return None
        return self.impressions.publish(replace(result.impression, results=_to_results(hits)))

    def settle(self, result: SearchResult, append: Future[None] | None) -> SearchResult:
        """Wait for the log within the search's budget, and learn from how long each stage took.

        A result whose impression is not durable leaves its experiment: it could not be counted as an exposure.
        """
        if result.request.log:
            left_s = min(result.until_s - self.admission.now(), _LOG_SHARE * result.request.budget_s)
            logged = self.impressions.arrives(append, max(left_s, _MIN_LOG_WAIT_S))
            result.timer.end("log")
            ranking = result.ranking
            if ranking.experiment and not logged:
                ranking = replace(ranking, experiment="", arm="")
            result = replace(result, logged=logged, ranking=ranking)
        self._note(result)
        return result

    def _note(self, result: SearchResult) -> None:
        """Count, log and learn how long the stages took."""
        seconds = result.timer.seconds
        for stage, duration_s in seconds.items():
            STAGE_SECONDS.labels(stage).observe(duration_s)
        for stage in result.late:
            SKIPPED.labels(stage).inc()
        self.admission.learn({part: duration_s for part, duration_s in seconds.items() if part not in _IDLE})
        _log.debug(
            "searched",
            collection=result.impression.collection,
            query_id=result.impression.query_id,
            version=result.ranking.version,
            surface=result.request.surface,
            skipped=list(result.skipped),
            milliseconds=round(1000 * sum(seconds.values()), 1),
            **({"query": result.impression.query} if self.tell_queries else {}),
        )

    def _draft(self, collection: str, request: SearchRequest) -> tuple[Visitor, Impression]:
        """Return who asks, and what is known of the impression before anything is ranked. Caps count the unit."""
        now = self.clock.now()
        query_id = self.query_ids.issue(collection, now)
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

    def _assign(
        self, snapshot: ServingSnapshot, draft: Impression, visitor: Visitor, request: SearchRequest, *, joins: bool
    ) -> Assignment | None:
        """Return what an experiment gives the search; None also while this replica cannot serve one of its arms.

        All arms must be ready here, so that a slow load cannot keep one arm's users out. An engine outside clickloop
        ranks where the app asks it: whoever asks here in its place gets the champion, outside the experiment.

        Raises:
            InvalidRequest: The arm that is asked for is none.
            NotReady: The arm that is asked for is not loaded.
        """
        if request.arm:
            assignment = self.assignments.force(draft.collection, request.arm, visitor, draft.query)
            if assignment.key not in snapshot.arms:
                raise NotReady(f"the arms of experiment {assignment.experiment} are not loaded; /readyz says why")
            return assignment
        if not joins:
            return None
        found = self.assignments.assign(draft.collection, visitor, draft.query, interleaves=not request.rearranged)
        return found if found and found.key in snapshot.arms else None


class _EveryField(dict[str, FieldType]):
    """The fields of a collection in which every name is one."""

    def __contains__(self, name: object) -> bool:
        return True


def _read_scope(
    corpus: Corpus, request: SearchRequest
) -> tuple[Condition | None, tuple[SortKey, ...], tuple[str, ...]]:
    """Return filter, sort and facets of a request as the collection's fields take them.

    A collection whose documents are all gone may know no fields any more. No field is unknown there.
    """
    types = corpus.fields.types
    if not len(corpus):
        return None, (), parse_facets(request.facets, _EveryField()) if request.facets is not None else ()
    return (
        parse_filter(request.filters, types) if request.filters is not None else None,
        parse_sort(request.sort, types) if request.sort is not None else (),
        parse_facets(request.facets, types) if request.facets is not None else (),
    )


def _count(corpus: Corpus, candidates: list[int], facets: tuple[str, ...]) -> dict[str, list[tuple[Any, int]]]:
    rows = np.array(candidates if facets else (), np.int64)
    return {name: corpus.fields.count(name, rows, _FACET_VALUES) for name in facets}


def _to_results(hits: Iterable[RankedHit]) -> tuple[ShownResult, ...]:
    return tuple(
        ShownResult(
            id=hit.document_id,
            rank=rank,
            score=round(hit.score, 6),
            team=hit.team,
            propensity=round(hit.propensity, 6),
            own_ranks=hit.own_ranks,
        )
        for rank, hit in enumerate(hits, start=1)
    )


def _render(result: SearchResult) -> list[RenderedHit]:
    corpus, hits = result.corpus, result.ranking.hits
    documents = [corpus.document(hit.row) for hit in hits]
    near = corpus.nearness([hit.row for hit in hits], result.query.vector)
    return [
        RenderedHit(
            rank=rank,
            hit=hit,
            document=document,
            snippet=cut_snippet(document.text, result.query.words, passages),
        )
        for rank, (document, hit, passages) in enumerate(zip(documents, hits, near, strict=True), start=1)
    ]
