"""Answers a search: which version ranks, what is shown, what is logged."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ab_testing.api import Assignment, Assignments, interleave
from foundation.clock import Clock, monotonic_s
from foundation.contracts import Document, Impression, ShownResult, query_key
from foundation.ids import new_id
from foundation.telemetry import STAGE_SECONDS
from serving.collection import LineUp
from serving.engine.features import Query
from serving.engine.pipeline import Hit, Ranking
from serving.engine.snippet import cut_snippet
from serving.impressions import ImpressionLog
from serving.loader import Loader

Flags = npt.NDArray[np.bool_]

_MOST_AT_ONCE = os.cpu_count() or 1
"""Searches computed at the same time; more would only take turns, and starve whoever keeps the service up to date."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A search request.

    Attributes:
        filters: Wanted value, or list of values of which one is wanted, by field name.
        log: Whether the answer is an impression; others join no experiment either.
    """

    query: str
    k: int = 10
    user: str = ""
    session: str = ""
    filters: dict[str, Any] = field(default_factory=dict)
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
        seconds: Time of each stage.
    """

    query_id: str
    version: str
    arm: str
    experiment: str
    lines: list[Shown]
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Mixed:
    version: str
    arm: str
    experiment: str
    hits: list[tuple[Hit, str, float]]
    seconds: dict[str, float]


class Searcher:
    """Serves searches over the collections of a loader. Safe to use from many threads."""

    def __init__(self, loader: Loader, assignments: Assignments, impressions: ImpressionLog, clock: Clock) -> None:
        self._loader = loader
        self._assignments = assignments
        self._impressions = impressions
        self._clock = clock
        self._at_once = threading.BoundedSemaphore(_MOST_AT_ONCE)

    def search(self, collection: str, ask: Ask) -> Answer:
        """Return the answer to a search; its impression is durable when this returns.

        Raises:
            NotFound: The collection has no documents.
            NotReady: No version of it serves yet.
        """
        line_up = self._loader.collection(collection).line_up
        now = self._clock.now()
        query_id = new_id(now)
        unit = ask.user or ask.session or query_id
        arrived = monotonic_s()
        with self._at_once:
            started = monotonic_s()
            query = Query(ask.query, query_key(ask.query), self._loader.encoder.encode_query(ask.query))
            encoded = monotonic_s()
            allowed = line_up.corpus.matching(ask.filters) if ask.filters else None
            assignment = self._assign(collection, line_up, unit, ask)
            mixed = _rank(line_up, query, ask.k, allowed, assignment)
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
        ranked = monotonic_s()
        lines = _lines(line_up, mixed, results, ask.query)  # while the disk is at work
        cut = monotonic_s()
        if flushed:
            flushed.result()
        own = {"wait": started - arrived, "encode": encoded - started}
        seconds = {**own, **mixed.seconds, "snippet": cut - ranked, "log": monotonic_s() - cut}
        for stage, duration_s in seconds.items():
            STAGE_SECONDS.labels(stage).observe(duration_s)
        return Answer(query_id, mixed.version, mixed.arm, mixed.experiment, lines, seconds)

    def _assign(self, collection: str, line_up: LineUp, unit: str, ask: Ask) -> Assignment | None:
        """Return the search's experiment; None also while this replica lacks one of its versions.

        Both arms need both versions here, so that a slow load cannot keep one arm's users out.
        """
        assignment = self._assignments.assign(collection, unit, ask.query) if ask.log else None
        if assignment is None or not {assignment.control, assignment.treatment} <= line_up.rankers.keys():
            return None
        return assignment


def _rank(line_up: LineUp, query: Query, k: int, allowed: Flags | None, assignment: Assignment | None) -> _Mixed:
    if assignment is None:
        champion = line_up.champion
        return _single(line_up.rankers[champion].rank(query, k, allowed), champion, "champion", "")
    if assignment.kind == "ab":
        version = assignment.control if assignment.arm == "control" else assignment.treatment
        ranking = line_up.rankers[version].rank(query, k, allowed)
        return _single(ranking, version, assignment.arm, assignment.experiment)
    control = line_up.rankers[assignment.control].rank(query, k, allowed)
    treatment = line_up.rankers[assignment.treatment].rank(query, k, allowed)
    by_id = {hit.document_id: hit for hit in (*treatment.hits, *control.hits)}
    slots = interleave(
        [hit.document_id for hit in control.hits], [hit.document_id for hit in treatment.hits], k, assignment.seed
    )
    hits = [(by_id[slot.document_id], str(slot.team), slot.propensity) for slot in slots]
    seconds = {stage: control.seconds[stage] + treatment.seconds[stage] for stage in control.seconds}
    return _Mixed(assignment.control, assignment.arm, assignment.experiment, hits, seconds)


def _single(ranking: Ranking, version: str, arm: str, experiment: str) -> _Mixed:
    return _Mixed(version, arm, experiment, [(hit, "", 1.0) for hit in ranking.hits], ranking.seconds)


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
