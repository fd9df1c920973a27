"""Ranks for one search: by the champion, by an experiment's arm, or interleaved by both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ab_testing.api import Assignment, interleave
from serving.encode.query import Query
from serving.index.fields.sorting import SortKey
from serving.live.collection_state import ServingSnapshot
from serving.ranking.features import FirstStage
from serving.ranking.pipeline import RankedHit
from serving.ranking.stage_timer import StageTimer

Flags = npt.NDArray[np.bool_]

SORTED = 400
"""Candidates that a sort looks at, the most relevant ones."""


@dataclass(frozen=True, slots=True)
class RankingInput:
    """What is to be ranked.

    Attributes:
        allowed: Rows that may appear, None for all.
        first_stage: What the corpus says of the query; every version shares it.
        sort: Fields to sort the most relevant by; relevance when empty.
    """

    query: Query
    k: int
    allowed: Flags | None
    first_stage: FirstStage
    sort: tuple[SortKey, ...]


@dataclass(frozen=True, slots=True)
class RankedList:
    """A result list and where it comes from.

    Attributes:
        version: The version that ranked; of an interleaved list, the champion's side.
        hits: Each with the team that brought it and the probability of its place.
        candidates: Rows that were ranked.
    """

    version: str
    arm: str
    experiment: str
    hits: list[tuple[RankedHit, str, float]]
    candidates: list[int]


def rank_for(
    snapshot: ServingSnapshot, ranking_input: RankingInput, assignment: Assignment | None, timer: StageTimer
) -> RankedList:
    """Return the list that a search gets; `timer` takes the time of each stage."""
    if assignment is None:
        return _rank_one(snapshot, ranking_input, timer, (snapshot.champion, "champion", ""))
    if assignment.kind == "ab":
        version = assignment.control if assignment.arm == "control" else assignment.treatment
        return _rank_one(snapshot, ranking_input, timer, (version, assignment.arm, assignment.experiment))
    sides = [snapshot.rankers[version] for version in (assignment.control, assignment.treatment)]
    control, treatment = (
        side.rank(ranking_input.query, ranking_input.k, ranking_input.allowed, ranking_input.first_stage, timer).hits
        for side in sides
    )
    by_id = {hit.document_id: hit for hit in (*treatment, *control)}
    slots = interleave(
        [hit.document_id for hit in control], [hit.document_id for hit in treatment], ranking_input.k, assignment.seed
    )
    hits = [(by_id[slot.document_id], str(slot.team), slot.propensity) for slot in slots]
    rows = [hit.row for hit in by_id.values()]
    return RankedList(assignment.control, assignment.arm, assignment.experiment, hits, rows)


def _rank_one(
    snapshot: ServingSnapshot, ranking_input: RankingInput, timer: StageTimer, by: tuple[str, str, str]
) -> RankedList:
    version, arm, experiment = by
    wanted = SORTED if ranking_input.sort else ranking_input.k
    ranking = snapshot.rankers[version].rank(
        ranking_input.query, wanted, ranking_input.allowed, ranking_input.first_stage, timer
    )
    hits = ranking.hits
    if ranking_input.sort:
        by_row = {hit.row: hit for hit in hits}
        rows = snapshot.corpus.fields.arrange(ranking_input.sort, np.array(list(by_row), np.int64))
        hits = [by_row[row] for row in rows[: ranking_input.k].tolist()]
    return RankedList(version, arm, experiment, [(hit, "", 1.0) for hit in hits], ranking.candidates)
