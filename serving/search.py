"""Answers a search: which version ranks, what is shown, what is logged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from ab_testing.api import Assignment, Assignments
from foundation.clock import Clock
from foundation.contracts import Document, Impression, ShownResult, query_key
from foundation.privacy.privacy import Privacy
from foundation.privacy.signing import QueryIds
from foundation.telemetry.logs import get_log
from foundation.telemetry.metrics import SKIPPED, STAGE_SECONDS
from serving.admission import Admission
from serving.arms import RankedList, RankingInput, rank_for
from serving.encode.query import Query
from serving.impressions import ImpressionLog, Publication
from serving.index.fields.facets import parse_facets
from serving.index.fields.filters import Condition, parse_filter
from serving.index.fields.sorting import SortKey, parse_sort
from serving.index.fields.values import FieldType
from serving.live.collection_state import ServingSnapshot
from serving.live.loader import Loader
from serving.present.snippet import cut_snippet
from serving.ranking.features import read
from serving.ranking.pipeline import RankedHit
from serving.ranking.stage_timer import StageTimer

_FACET_VALUES = 20
_log = get_log("search")
_LOG_SHARE = 0.5
"""Most of a search's budget that is spent on waiting for the log."""

_MIN_LOG_WAIT_S = 0.05
"""A log that is there takes no longer; a search that is late already does not go unlogged for it."""

_IDLE = frozenset({"wait", "log"})
"""Parts of a search in which the processor is left to others."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search request.

    Attributes:
        filters: A filter as JSON; see `serving.index.fields.filters`. None for none.
        sort: Fields to sort the candidates by, as JSON; see `serving.index.fields.sorting`. None for relevance.
        facets: Fields whose values are counted over the candidates, as JSON; None for none.
        without: Stages to leave out: "rerank", "meaning".
        surface: Where the answer is shown: "page", "context", "agent", or an app's own word.
        budget_s: Time after which the answer is late; stages that would make it so are left out.
        log: Whether the answer is an impression; others join no experiment either.
    """

    query: str
    k: int = 10
    user: str = ""
    session: str = ""
    filters: Any = None
    sort: Any = None
    facets: Any = None
    without: tuple[str, ...] = ()
    surface: str = "page"
    budget_s: float = 0.5
    log: bool = True


@dataclass(frozen=True, slots=True)
class RenderedHit:
    """One line of an answer.

    Attributes:
        snippet: The part of the text that speaks of the query.
    """

    document: Document
    hit: RankedHit
    result: ShownResult
    snippet: str


@dataclass(frozen=True, slots=True)
class SearchReply:
    """What a search found, and who ranked it.

    Attributes:
        version: The version that ranked; of an interleaved list, the champion's side.
        logged: Whether its impression is durable; if not, it takes part in no experiment.
        skipped: Stages left out.
        did_you_mean: The query with its unknown words corrected, "" when none is.
        facets: Most frequent values with their counts, by field.
        seconds: Time of each stage.
    """

    query_id: str
    version: str
    arm: str
    experiment: str
    lines: list[RenderedHit]
    logged: bool
    skipped: tuple[str, ...]
    did_you_mean: str
    facets: dict[str, list[tuple[Any, int]]]
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found, before it is shown and logged.

    Attributes:
        snapshot: What searched.
        kept: The query as it is logged.
        unit: Whom caps count, by pseudonym.
        drawn: Whom experiments draw and count, by pseudonym: the session first, so that logging in keeps the arm.
        until_s: When the answer is late, by the clock of admission.
        skipped: Stages left out.
        late: Those of them left out to answer in time.
        logged: Whether the impression is durable.
    """

    collection: str
    ask: SearchRequest
    kept: str
    at: datetime
    query_id: str
    unit: str
    drawn: str
    snapshot: ServingSnapshot
    query: Query
    ranked: RankedList
    skipped: tuple[str, ...]
    late: tuple[str, ...]
    facets: dict[str, list[tuple[Any, int]]]
    timer: StageTimer
    until_s: float
    logged: bool = False


class Searcher:
    """Serves searches over the collections of a loader. Safe to use from many threads.

    Args:
        privacy: What is kept of people.
        tell_queries: Whether the log lines of searches hold what was asked.
    """

    def __init__(
        self,
        loader: Loader,
        assignments: Assignments,
        impressions: ImpressionLog,
        admission: Admission,
        clock: Clock,
        privacy: Privacy,
        query_ids: QueryIds,
        *,
        tell_queries: bool = False,
    ) -> None:
        self._loader = loader
        self._assignments = assignments
        self._impressions = impressions
        self._admission = admission
        self._clock = clock
        self._privacy = privacy
        self._query_ids = query_ids
        self._tell_queries = tell_queries

    def search(self, collection: str, ask: SearchRequest) -> SearchReply:
        """Return the answer to a search; its impression is durable then, or the answer says that it is not.

        Raises:
            NotFound: The collection has no documents.
            NotReady: No version of it serves yet.
            InvalidRequest: Filter, sort or facets do not fit the collection's fields.
        """
        found = self.find(collection, ask)
        results = show_results(found.ranked.hits)
        publication = self.log(found, results)
        lines = _lines(found, results)  # while the disk is at work
        corrected = found.snapshot.corpus.lexical.correct(ask.query)
        found.timer.end("snippet")
        found = self.settle(found, publication)
        self.note(found)
        ranked = found.ranked
        return SearchReply(
            query_id=found.query_id,
            version=ranked.version,
            arm=ranked.arm,
            experiment=ranked.experiment,
            lines=lines,
            logged=found.logged,
            skipped=found.skipped,
            did_you_mean=corrected or "",
            facets=found.facets,
            seconds=found.timer.seconds,
        )

    def find(self, collection: str, ask: SearchRequest) -> SearchResult:
        """Return what a search finds; nothing is logged.

        Raises:
            NotFound: The collection has no documents.
            NotReady: No version of it serves yet.
            InvalidRequest: Filter, sort or facets do not fit the collection's fields.
        """
        snapshot = self._loader.collection(collection).snapshot
        condition, sort, facets = _read_scope(snapshot, ask)
        now = self._clock.now()
        query_id = self._query_ids.issue(collection, now)
        user, session = self._privacy.person(ask.user), self._privacy.person(ask.session)
        unit, drawn = user or session or query_id, session or user or query_id
        kept = self._privacy.text(ask.query)
        until = self._admission.now() + ask.budget_s
        timer = StageTimer()
        with self._admission.turn():
            timer.end("wait")
            late = self._admission.stages_to_shed(until - self._admission.now())
            skipped = tuple(dict.fromkeys((*ask.without, *late)))
            query = self._encode(ask, query_key(kept), skipped)
            timer.end("encode")
            allowed = snapshot.corpus.matching(condition) if condition else None
            timer.end("filter")
            first_stage = read(snapshot.corpus, query, allowed, timer)
            joins = ask.log and not (late or sort or self._impressions.away)
            assignment = self._assign(collection, snapshot, drawn, kept) if joins else None
            ranked = rank_for(snapshot, RankingInput(query, ask.k, allowed, first_stage, sort), assignment, timer)
            counted = _count(snapshot, ranked.candidates, facets)
            timer.end("facets")
        return SearchResult(
            collection,
            ask,
            kept,
            now,
            query_id,
            unit,
            drawn,
            snapshot,
            query,
            ranked,
            skipped,
            late,
            counted,
            timer,
            until,
        )

    def log(self, found: SearchResult, results: tuple[ShownResult, ...]) -> Publication | None:
        """Begin to log what is shown of what was found, None where nothing is to be logged; `settle` waits for it."""
        if not found.ask.log:
            return None
        return self._impressions.publish(
            Impression(
                collection=found.collection,
                query_id=found.query_id,
                query=found.kept,
                unit=found.unit,
                version=found.ranked.version,
                results=results,
                at=found.at,
                experiment=found.ranked.experiment,
                arm=found.ranked.arm,
                surface=found.ask.surface,
                drawn_by=found.drawn if found.ranked.experiment and found.drawn != found.unit else "",
            )
        )

    def settle(self, found: SearchResult, publication: Publication | None) -> SearchResult:
        """Wait for the log within the search's budget, and return what was found as it may be told.

        What is not durable has no experiment: it would be an exposure that nobody can count.
        """
        if publication is None:
            return found
        left_s = min(found.until_s - self._admission.now(), _LOG_SHARE * found.ask.budget_s)
        logged = publication.arrives(max(left_s, _MIN_LOG_WAIT_S))
        found.timer.end("log")
        if logged or not found.ranked.experiment:
            return replace(found, logged=logged)
        return replace(found, ranked=replace(found.ranked, experiment="", arm=""))

    def note(self, found: SearchResult) -> None:
        """Take in how long the stages took."""
        for stage, duration_s in found.timer.seconds.items():
            STAGE_SECONDS.labels(stage).observe(duration_s)
        for stage in found.late:
            SKIPPED.labels(stage).inc()
        self._admission.learn({part: took_s for part, took_s in found.timer.seconds.items() if part not in _IDLE})
        _log.debug(
            "searched",
            collection=found.collection,
            query_id=found.query_id,
            version=found.ranked.version,
            surface=found.ask.surface,
            skipped=list(found.skipped),
            milliseconds=round(1000 * sum(found.timer.seconds.values()), 1),
            **({"query": found.kept} if self._tell_queries else {}),
        )

    def _encode(self, ask: SearchRequest, key: str, skipped: tuple[str, ...]) -> Query:
        """Return the query as the engine reads it, without what must be skipped."""
        embedder = self._loader.embedder
        if "meaning" in skipped:
            return Query(ask.query, key, np.zeros(embedder.encoder.dimension, np.float32))
        query = embedder.read_query(ask.query, key)
        return replace(query, tokens=None) if "rerank" in skipped else query

    def _assign(self, collection: str, snapshot: ServingSnapshot, unit: str, query: str) -> Assignment | None:
        """Return the search's experiment; None also while this replica lacks one of its versions.

        Both arms need both versions here, so that a slow load cannot keep one arm's users out.
        """
        assignment = self._assignments.assign(collection, unit, query)
        if assignment is None or not {assignment.control, assignment.treatment} <= snapshot.rankers.keys():
            return None
        return assignment


def show_results(hits: Iterable[tuple[RankedHit, str, float]]) -> tuple[ShownResult, ...]:
    """Return hits as they are logged, each with its team and the probability of its place."""
    return tuple(
        ShownResult(hit.document_id, rank, round(hit.score, 6), team, round(propensity, 6))
        for rank, (hit, team, propensity) in enumerate(hits, start=1)
    )


class _Any(dict[str, FieldType]):
    """The fields of a collection in which every name is one."""

    def __contains__(self, name: object) -> bool:
        return True


def _read_scope(
    snapshot: ServingSnapshot, ask: SearchRequest
) -> tuple[Condition | None, tuple[SortKey, ...], tuple[str, ...]]:
    """Return filter, sort and facets of a request as the collection's fields take them.

    A collection without a document may know no fields any more; nothing can be found in it, so none is missed.
    """
    types = snapshot.corpus.fields.types
    if not len(snapshot.corpus):
        return None, (), parse_facets(ask.facets, _Any()) if ask.facets is not None else ()
    return (
        parse_filter(ask.filters, types) if ask.filters is not None else None,
        parse_sort(ask.sort, types) if ask.sort is not None else (),
        parse_facets(ask.facets, types) if ask.facets is not None else (),
    )


def _count(snapshot: ServingSnapshot, rows: list[int], facets: tuple[str, ...]) -> dict[str, list[tuple[Any, int]]]:
    found = np.array(rows if facets else (), np.int64)
    return {name: snapshot.corpus.fields.count(name, found, _FACET_VALUES) for name in facets}


def _lines(found: SearchResult, results: tuple[ShownResult, ...]) -> list[RenderedHit]:
    corpus, hits = found.snapshot.corpus, [hit for hit, _, _ in found.ranked.hits]
    documents = [corpus.document(hit.row) for hit in hits]
    near = corpus.nearness([hit.row for hit in hits], found.query.vector)
    return [
        RenderedHit(document, hit, result, cut_snippet(document.text, found.ask.query, passages))
        for document, hit, result, passages in zip(documents, hits, results, near, strict=True)
    ]
