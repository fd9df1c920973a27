"""Ranks for one search: by the champion, by an experiment's arm, or interleaved by both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ab_testing.api import Assignment, interleave
from serving.encode.query import Query
from serving.index.fields.sorting import SortKey
from serving.live.collection_state import LineUp
from serving.ranking.features import Reading
from serving.ranking.pipeline import Hit
from serving.ranking.stage_timer import Laps

Flags = npt.NDArray[np.bool_]

SORTED = 400
"""Candidates that a sort looks at, the most relevant ones."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be ranked.

    Attributes:
        allowed: Rows that may appear, None for all.
        reading: What the corpus says of the query; every version shares it.
        sort: Fields to sort the most relevant by; relevance when empty.
    """

    query: Query
    k: int
    allowed: Flags | None
    reading: Reading
    sort: tuple[SortKey, ...]


@dataclass(frozen=True, slots=True)
class Mixed:
    """A result list and where it comes from.

    Attributes:
        version: The version that ranked; of an interleaved list, the champion's side.
        hits: Each with the team that brought it and the probability of its place.
        candidates: Rows that were ranked.
    """

    version: str
    arm: str
    experiment: str
    hits: list[tuple[Hit, str, float]]
    candidates: list[int]


def rank_for(line_up: LineUp, work: Work, assignment: Assignment | None, laps: Laps) -> Mixed:
    """Return the list that a search gets; `laps` takes the time of each stage."""
    if assignment is None:
        return _rank_one(line_up, work, laps, (line_up.champion, "champion", ""))
    if assignment.kind == "ab":
        version = assignment.control if assignment.arm == "control" else assignment.treatment
        return _rank_one(line_up, work, laps, (version, assignment.arm, assignment.experiment))
    sides = [line_up.rankers[version] for version in (assignment.control, assignment.treatment)]
    control, treatment = (side.rank(work.query, work.k, work.allowed, work.reading, laps).hits for side in sides)
    by_id = {hit.document_id: hit for hit in (*treatment, *control)}
    slots = interleave(
        [hit.document_id for hit in control], [hit.document_id for hit in treatment], work.k, assignment.seed
    )
    hits = [(by_id[slot.document_id], str(slot.team), slot.propensity) for slot in slots]
    rows = [hit.row for hit in by_id.values()]
    return Mixed(assignment.control, assignment.arm, assignment.experiment, hits, rows)


def _rank_one(line_up: LineUp, work: Work, laps: Laps, by: tuple[str, str, str]) -> Mixed:
    version, arm, experiment = by
    wanted = SORTED if work.sort else work.k
    ranking = line_up.rankers[version].rank(work.query, wanted, work.allowed, work.reading, laps)
    hits = ranking.hits
    if work.sort:
        by_row = {hit.row: hit for hit in hits}
        rows = line_up.corpus.fields.arrange(work.sort, np.array(list(by_row), np.int64))
        hits = [by_row[row] for row in rows[: work.k].tolist()]
    return Mixed(version, arm, experiment, [(hit, "", 1.0) for hit in hits], ranking.candidates)
