"""Ranks for one search: by the champion, by an experiment's arm, or interleaved by all of its arms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest

from ab_testing.api import Assignment, interleave
from serving.first_stages import FirstStages
from serving.index.space import Space
from serving.live.arms import ArmRanker
from serving.live.collection_state import ServingSnapshot
from serving.paging.window import fill_window
from serving.ranking.pipeline import RankedHit, Ranking
from serving.ranking.stage_timer import StageTimer


def rank_for(
    snapshot: ServingSnapshot,
    asked: FirstStages,
    depth: int,
    *,
    assignment: Assignment | None,
    timer: StageTimer,
) -> tuple[Ranking, Space]:
    """Return the list that a search gets, and the space to which its rows belong.

    Args:
        asked: What was retrieved; every version of one encoder ranks the same.
        depth: Its last rank that is wanted; a longer list begins as a shorter one does.
        assignment: Of an experiment whose arms are ready in the snapshot.
    """
    if assignment is None:
        champion = snapshot.rankers[snapshot.champion]
        space = asked.space_of(champion)
        ranking = champion.rank(asked.retrieve(space), depth, timer)
        ranking = replace(ranking, version=snapshot.champion, arm="champion")
    else:
        space = asked.space_of(arms_of(snapshot, assignment)[0].ranker)
        ranking = rank_by_arms(
            snapshot, assignment, lambda arm: _rank_in(space, arm, asked, depth, timer), depth, timer
        )
    short = len(ranking.hits) < depth
    return fill_window(ranking, space.corpus, asked.retrieve(space)) if short else ranking, space


def rank_by_arms(
    snapshot: ServingSnapshot,
    assignment: Assignment,
    rank: Callable[[ArmRanker], Ranking],
    k: int,
    timer: StageTimer,
) -> Ranking:
    """Return the list of the arm that an experiment drew, or of all its arms interleaved to `k` documents.

    Args:
        assignment: Of an experiment whose arms are ready in the snapshot.
        rank: Ranks by one arm.
    """
    arms = arms_of(snapshot, assignment)
    rankings = [rank(arm) for arm in arms]
    ranking = rankings[0] if len(arms) == 1 else _mix([one.hits for one in rankings], k, assignment, timer)
    return replace(
        ranking,
        version=arms[0].version,
        arm=assignment.arm,
        experiment="" if assignment.forced else assignment.experiment,
    )


def arms_of(snapshot: ServingSnapshot, assignment: Assignment) -> list[ArmRanker]:
    """Return what ranks the arms of an assignment, which are ready in the snapshot; the control's first."""
    ready = snapshot.arms[assignment.key]
    return [ready[arm.name] for arm in assignment.arms]


def _rank_in(space: Space, arm: ArmRanker, asked: FirstStages, k: int, timer: StageTimer) -> Ranking:
    """Return the list of an arm with the rows of a space; an arm of another encoder ranks in its own first."""
    own = asked.space_of(arm.ranker)
    ranking = arm.rank(asked.retrieve(own), k, timer)
    if own is space:
        return ranking
    rows = [(hit, space.corpus.row(hit.document_id)) for hit in ranking.hits]
    return replace(ranking, hits=[replace(hit, row=row) for hit, row in rows if row is not None])


def _mix(own: Sequence[list[RankedHit]], k: int, assignment: Assignment, timer: StageTimer) -> Ranking:
    """Return the lists of all arms interleaved."""
    lists = [[hit.document_id for hit in hits] for hits in own]
    by_id: dict[str, RankedHit] = {hit.document_id: hit for hits in reversed(own) for hit in hits}
    ranks = [{name: rank for rank, name in enumerate(names, start=1)} for names in lists]
    hits = [
        replace(
            by_id[slot.document_id],
            team=slot.team,
            propensity=slot.propensity,
            own_ranks=tuple(rank.get(slot.document_id, 0) for rank in ranks),
        )
        for slot in interleave(lists, k, assignment.seed)
    ]
    timer.end("interleave")
    candidates = [hit.row for hit in by_id.values()]
    return Ranking(hits=hits, candidates=candidates, first_difference=first_difference(lists))


def first_difference(lists: Sequence[Sequence[str]]) -> int:
    """Return the first rank, from 1, at which not all lists agree, 0 where they are equal; a list may end early."""
    for rank, names in enumerate(zip_longest(*lists), start=1):
        if len(set(names)) > 1:
            return rank
    return 0
