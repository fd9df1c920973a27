"""Ranks for one search: by the champion, by an experiment's arm, or interleaved by both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ab_testing.api import Assignment, interleave
from serving.index.fields.request import SortKey
from serving.live.collection_state import ServingSnapshot
from serving.ranking.pipeline import Ranking
from serving.ranking.retrieval import FirstStage
from serving.ranking.stage_timer import StageTimer

SORTED = 400
"""Candidates that a sort looks at, the most relevant ones."""


def rank_for(
    snapshot: ServingSnapshot,
    first_stage: FirstStage,
    k: int,
    *,
    sort: tuple[SortKey, ...],
    assignment: Assignment | None,
    timer: StageTimer,
) -> Ranking:
    """Return the list that a search gets.

    Args:
        first_stage: What was retrieved; every version ranks the same.
        sort: Fields to sort the most relevant by; empty for relevance.
    """
    if assignment is not None and assignment.kind != "ab":
        return _rank_interleaved(snapshot, first_stage, k, assignment=assignment, timer=timer)
    version, arm, experiment = snapshot.champion, "champion", ""
    if assignment is not None:
        version = assignment.control if assignment.arm == "control" else assignment.treatment
        arm, experiment = assignment.arm, assignment.experiment
    ranking = snapshot.rankers[version].rank(first_stage, SORTED if sort else k, timer)
    hits = ranking.hits
    if sort:
        by_row = {hit.row: hit for hit in hits}
        rows = snapshot.corpus.fields.arrange(sort, np.array(list(by_row), np.int64))
        hits = [by_row[row] for row in rows[:k].tolist()]
    return Ranking(hits=hits, candidates=ranking.candidates, version=version, arm=arm, experiment=experiment)


def _rank_interleaved(
    snapshot: ServingSnapshot, first_stage: FirstStage, k: int, *, assignment: Assignment, timer: StageTimer
) -> Ranking:
    control, treatment = (
        snapshot.rankers[version].rank(first_stage, k, timer).hits
        for version in (assignment.control, assignment.treatment)
    )
    by_id = {hit.document_id: hit for hit in (*treatment, *control)}
    slots = interleave([hit.document_id for hit in control], [hit.document_id for hit in treatment], k, assignment.seed)
    return Ranking(
        hits=[replace(by_id[slot.document_id], team=str(slot.team), propensity=slot.propensity) for slot in slots],
        candidates=[hit.row for hit in by_id.values()],
        version=assignment.control,
        arm=assignment.arm,
        experiment=assignment.experiment,
    )
