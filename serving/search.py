"""Answers a search: which version ranks, what is shown, what is logged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ab_testing.api import Assignment, Assignments, interleave
from foundation.clock import Clock
from foundation.contracts import Document, Impression, ShownResult, query_key
from foundation.ids import new_id
from foundation.telemetry import SKIPPED, STAGE_SECONDS
from serving.admission import Admission
from serving.collection import LineUp
from serving.engine.facets import parse_facets
from serving.engine.features import Query, Reading, read
from serving.engine.filters import Condition, parse_filter
from serving.engine.laps import Laps
from serving.engine.pipeline import Hit
from serving.engine.snippet import cut_snippet
from serving.engine.sorting import SortKey, parse_sort
from serving.impressions import ImpressionLog
from serving.loader import Loader

Flags = npt.NDArray[np.bool_]

SORTED = 400
"""Candidates that a sort looks at, the most relevant ones."""

_FACET_VALUES = 20
_IDLE = frozenset({"wait", "log"})
"""Parts of a search in which the processor is left to others."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A search request.

    Attributes:
        filters: A filter as JSON; see `serving.engine.filters`. None for none.
        sort: Fields to sort the candidates by, as JSON; see `serving.engine.sorting`. None for relevance.
        facets: Fields whose values are counted over the candidates, as JSON; None for none.
        without: Stages to leave out: "rerank", "meaning".
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
    budget_s: float = 0.5
    log: bool = True


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of an answer.

    Attributes:
        snippet: The part of the text that speaks of the query.
    """

    document: Document
    hit: Hit
    result: ShownResult
    snippet: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found, and who ranked it.

    Attributes:
        version: The version that ranked; of an interleaved list, the champion's side.
        skipped: Stages left out to answer in time.
        facets: Most frequent values with their counts, by field.
        seconds: Time of each stage.
    """

    query_id: str
    version: str
    arm: str
    experiment: str
    lines: list[Shown]
    skipped: tuple[str, ...]
    facets: dict[str, list[tuple[Any, int]]]
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Mixed:
    version: str
    arm: str
    experiment: str
    hits: list[tuple[Hit, str, float]]
    candidates: list[int]


class Searcher:
    """Serves searches over the collections of a loader. Safe to use from many threads."""

    def __init__(
        self,
        loader: Loader,
        assignments: Assignments,
        impressions: ImpressionLog,
        admission: Admission,
        clock: Clock,
    ) -> None:
        self._loader = loader
        self._assignments = assignments
        self._impressions = impressions
        self._admission = admission
        self._clock = clock

    def search(self, collection: str, ask: Ask) -> Answer:
        """Return the answer to a search; its impression is durable when this returns.

        Raises:
            NotFound: The collection has no documents.
            NotReady: No version of it serves yet.
            InvalidRequest: Filter, sort or facets do not fit the collection's fields.
        """
        line_up = self._loader.collection(collection).line_up
        scope = _read_scope(line_up, ask)
        now = self._clock.now()
        query_id = new_id(now)
        unit = ask.user or ask.session or query_id
        until = self._admission.now() + ask.budget_s
        laps = Laps()
        with self._admission.turn():
            laps.end("wait")
            late = self._admission.spare(until - self._admission.now())
            skipped = tuple(dict.fromkeys((*ask.without, *late)))
            query = self._encode(ask, skipped)
            laps.end("encode")
            allowed = line_up.corpus.matching(scope.condition) if scope.condition else None
            laps.end("filter")
            reading = read(line_up.corpus, query, allowed, laps)
            assignment = None if late or scope.sort else self._assign(collection, line_up, unit, ask)
            mixed = _rank(line_up, _Work(query, ask.k, allowed, reading, laps, scope), assignment)
            facets = _count(line_up, mixed.candidates, scope.facets)
            laps.end("facets")
        results = _results(mixed)
        flushed = (
            self._impressions.publish(
                Impression(
                    collection=collection,
                    query_id=query_id,
                    query=ask.query,
                    unit=unit,
                    version=mixed.version,
                    results=results,
                    at=now,
                    experiment=mixed.experiment,
                    arm=mixed.arm,
                )
            )
            if ask.log
            else None
        )
        lines = _lines(line_up, mixed, results, ask.query)  # while the disk is at work
        laps.end("snippet")
        if flushed:
            flushed.result()
        laps.end("log")
        self._note(laps, late)
        return Answer(query_id, mixed.version, mixed.arm, mixed.experiment, lines, skipped, facets, laps.seconds)

    def _encode(self, ask: Ask, skipped: tuple[str, ...]) -> Query:
        """Return the query as the engine reads it, without what must be skipped."""
        embedder, key = self._loader.embedder, query_key(ask.query)
        if "meaning" in skipped:
            return Query(ask.query, key, np.zeros(embedder.encoder.dimension, np.float32))
        query = embedder.read_query(ask.query, key)
        return replace(query, tokens=None) if "rerank" in skipped else query

    def _note(self, laps: Laps, skipped: tuple[str, ...]) -> None:
        for stage, duration_s in laps.seconds.items():
            STAGE_SECONDS.labels(stage).observe(duration_s)
        for stage in skipped:
            SKIPPED.labels(stage).inc()
        self._admission.learn({part: took_s for part, took_s in laps.seconds.items() if part not in _IDLE})

    def _assign(self, collection: str, line_up: LineUp, unit: str, ask: Ask) -> Assignment | None:
        """Return the search's experiment; None also while this replica lacks one of its versions.

        Both arms need both versions here, so that a slow load cannot keep one arm's users out.
        """
        assignment = self._assignments.assign(collection, unit, ask.query) if ask.log else None
        if assignment is None or not {assignment.control, assignment.treatment} <= line_up.rankers.keys():
            return None
        return assignment


@dataclass(frozen=True, slots=True)
class _Scope:
    condition: Condition | None
    sort: tuple[SortKey, ...]
    facets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Work:
    query: Query
    k: int
    allowed: Flags | None
    reading: Reading
    laps: Laps
    scope: _Scope


def _read_scope(line_up: LineUp, ask: Ask) -> _Scope:
    types = line_up.corpus.fields.types
    return _Scope(
        parse_filter(ask.filters, types) if ask.filters is not None else None,
        parse_sort(ask.sort, types) if ask.sort is not None else (),
        parse_facets(ask.facets, types) if ask.facets is not None else (),
    )


def _count(line_up: LineUp, rows: list[int], facets: tuple[str, ...]) -> dict[str, list[tuple[Any, int]]]:
    found = np.array(rows, np.int64)
    return {name: line_up.corpus.fields.count(name, found, _FACET_VALUES) for name in facets}


def _rank(line_up: LineUp, work: _Work, assignment: Assignment | None) -> _Mixed:
    if assignment is None:
        return _rank_one(line_up, work, line_up.champion, "champion", "")
    if assignment.kind == "ab":
        version = assignment.control if assignment.arm == "control" else assignment.treatment
        return _rank_one(line_up, work, version, assignment.arm, assignment.experiment)
    sides = [line_up.rankers[version] for version in (assignment.control, assignment.treatment)]
    control, treatment = (side.rank(work.query, work.k, work.allowed, work.reading, work.laps).hits for side in sides)
    by_id = {hit.document_id: hit for hit in (*treatment, *control)}
    slots = interleave(
        [hit.document_id for hit in control], [hit.document_id for hit in treatment], work.k, assignment.seed
    )
    hits = [(by_id[slot.document_id], str(slot.team), slot.propensity) for slot in slots]
    rows = [hit.row for hit in by_id.values()]
    return _Mixed(assignment.control, assignment.arm, assignment.experiment, hits, rows)


def _rank_one(line_up: LineUp, work: _Work, version: str, arm: str, experiment: str) -> _Mixed:
    wanted = SORTED if work.scope.sort else work.k
    ranking = line_up.rankers[version].rank(work.query, wanted, work.allowed, work.reading, work.laps)
    hits = ranking.hits
    if work.scope.sort:
        by_row = {hit.row: hit for hit in hits}
        rows = line_up.corpus.fields.arrange(work.scope.sort, np.array(list(by_row), np.int64))
        hits = [by_row[row] for row in rows[: work.k].tolist()]
    return _Mixed(version, arm, experiment, [(hit, "", 1.0) for hit in hits], ranking.candidates)


def _results(mixed: _Mixed) -> tuple[ShownResult, ...]:
    return tuple(
        ShownResult(hit.document_id, rank, round(hit.score, 6), team, round(propensity, 6))
        for rank, (hit, team, propensity) in enumerate(mixed.hits, start=1)
    )


def _lines(line_up: LineUp, mixed: _Mixed, results: tuple[ShownResult, ...], query: str) -> list[Shown]:
    documents = [line_up.corpus.document(hit.row) for hit, _, _ in mixed.hits]
    return [
        Shown(document, hit, result, cut_snippet(document.text, query))
        for document, (hit, _, _), result in zip(documents, mixed.hits, results, strict=True)
    ]
