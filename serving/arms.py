"""Ranks for one search: by the champion, by an experiment's arm, or interleaved by both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ab_testing.api import Assignment, interleave
from serving.index.fields.request import SortKey
from serving.live.arms import ArmRanker
from serving.live.collection_state import ServingSnapshot
from serving.ranking.pipeline import RankedHit, Ranking
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
        assignment: Of an experiment whose arms are ready in the snapshot.
    """
    depth = SORTED if sort else k
    if assignment is None:
        ranking = snapshot.rankers[snapshot.champion].rank(first_stage, depth, timer)
        ranking = replace(ranking, version=snapshot.champion, arm="champion")
    else:
        ranking = _rank_by_arms(snapshot, first_stage, depth, assignment=assignment, timer=timer)
    if not sort:
        return ranking
    by_row = {hit.row: hit for hit in ranking.hits}
    rows = snapshot.corpus.fields.arrange(sort, np.array(list(by_row), np.int64))
    return replace(ranking, hits=[by_row[row] for row in rows[:k].tolist()])


def _rank_by_arms(
    snapshot: ServingSnapshot, first_stage: FirstStage, k: int, *, assignment: Assignment, timer: StageTimer
) -> Ranking:
    ready = snapshot.arms[assignment.key]
    arms = [ready[arm.name] for arm in assignment.arms]
    ranking = arms[0].rank(first_stage, k, timer) if len(arms) == 1 else _mix(arms, first_stage, k, assignment, timer)
    return replace(
        ranking,
        version=arms[0].version,
        arm=assignment.arm,
        experiment="" if assignment.forced else assignment.experiment,
    )


def _mix(
    arms: Sequence[ArmRanker], first_stage: FirstStage, k: int, assignment: Assignment, timer: StageTimer
) -> Ranking:
    """Return the lists of two arms interleaved."""
    own = [arm.rank(first_stage, k, timer).hits for arm in arms]
    control, treatment = ([hit.document_id for hit in hits] for hits in own)
    by_id: dict[str, RankedHit] = {hit.document_id: hit for hits in reversed(own) for hit in hits}
    ranks = [{hit.document_id: rank for rank, hit in enumerate(hits, start=1)} for hits in own]
    hits = [
        replace(
            by_id[slot.document_id],
            team=str(slot.team),
            propensity=slot.propensity,
            own_ranks=tuple(rank.get(slot.document_id, 0) for rank in ranks),
        )
        for slot in interleave(control, treatment, k, assignment.seed)
    ]
    timer.end("interleave")
    candidates = [hit.row for hit in by_id.values()]
    return Ranking(hits=hits, candidates=candidates, first_difference=first_difference(control, treatment))


def first_difference(control: Sequence[str], treatment: Sequence[str]) -> int:
    """Return the first rank, from 1, at which two lists differ, 0 where they are equal; a list may end early."""
    for rank in range(max(len(control), len(treatment))):
        if control[rank : rank + 1] != treatment[rank : rank + 1]:
            return rank + 1
    return 0
