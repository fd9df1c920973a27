"""Ranks for one search: by the champion, by an experiment's arm, or interleaved by all of its arms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest

from ab_testing.api import Assignment, interleave
from foundation.arrays import Flags
from serving.first_stages import FirstStages
from serving.index.corpus import Corpus
from serving.index.space import Space
from serving.live.arms import ArmRanker
from serving.live.collection_state import ServingSnapshot
from serving.paging.window import fill_window
from serving.ranking.pipeline import RankedHit, Ranking
from serving.ranking.retrieval import FirstStage
from serving.ranking.stage_timer import StageTimer
from serving.rules.placement import place


def rank_for(
    snapshot: ServingSnapshot,
    asked: FirstStages,
    depth: int,
    *,
    assignment: Assignment | None,
    timer: StageTimer,
) -> tuple[Ranking, Space, FirstStage]:
    """Return the list that a search gets, the space to which its rows belong, and what was found there.

    What rules pin stands where they want it in the list that is shown. Only where arms differ in their rules, each pins
    in its own list.

    Args:
        asked: What was retrieved; every version of one encoder ranks the same.
        depth: Its last rank that is wanted; a longer list begins as a shorter one does.
        assignment: Of an experiment whose arms are ready in the snapshot.
    """
    alike = True
    if assignment is None:
        champion = snapshot.rankers[snapshot.champion]
        space = asked.space_of(champion)
        first_stage = asked.retrieve(space, snapshot.relevance)
        ranking = champion.rank(first_stage, depth + len(first_stage.shaping.pins), timer)
        ranking = replace(ranking, version=snapshot.champion, arm="champion")
    else:
        arms = arms_of(snapshot, assignment)
        space = asked.space_of(arms[0].ranker)
        first_stage = asked.retrieve(space, arms[0].relevance)
        alike = len({arm.relevance.number for arm in arms}) == 1
        more = depth + len(first_stage.shaping.pins)

        def rank(arm: ArmRanker) -> Ranking:
            return _rank_in(space, arm, asked, more, timer, pinned=not alike)

        ranking = rank_by_arms(snapshot, assignment, rank, more, timer)
    if len(ranking.hits) < depth:
        ranking = fill_window(ranking, space.corpus, first_stage)
    if alike:
        ranking = put_pins(ranking, space.corpus, first_stage, depth)
    return ranking, space, first_stage


def put_pins(ranking: Ranking, corpus: Corpus, first_stage: FirstStage, depth: int) -> Ranking:
    """Return a list of at most `depth` documents with those that rules pin at their ranks.

    What may not be listed is not. What is pinned is of no side of an interleaved list.
    """
    allowed = first_stage.allowed
    rows = {pin.id: corpus.row(pin.id) for pin in first_stage.shaping.pins}
    pins = [pin for pin in first_stage.shaping.pins if _may_be_listed(corpus, rows[pin.id], allowed)]
    if not pins:
        return ranking
    known = {hit.document_id: hit for hit in ranking.hits}
    sides = len(ranking.hits[0].own_ranks) if ranking.hits else 0
    hits = []
    for name, rule in place(known, pins, depth):
        hit = known.get(name) or RankedHit(rows[name] or 0, name, 0.0, {}, own_ranks=(0,) * sides)
        hits.append(replace(hit, rule=rule, team="", propensity=1.0) if rule else hit)
    return replace(ranking, hits=hits)


def _may_be_listed(corpus: Corpus, row: int | None, allowed: Flags | None) -> bool:
    if row is None or not corpus.columns.alive[row]:
        return False
    return allowed is None or (row < len(allowed) and bool(allowed[row]))


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


def _rank_in(space: Space, arm: ArmRanker, asked: FirstStages, k: int, timer: StageTimer, *, pinned: bool) -> Ranking:
    """Return the list of an arm with the rows of a space; an arm of another encoder ranks in its own first.

    Args:
        pinned: Whether what the arm's rules pin is in the list.
    """
    own = asked.space_of(arm.ranker)
    first_stage = asked.retrieve(own, arm.relevance)
    ranking = arm.rank(first_stage, k, timer)
    if pinned:
        ranking = put_pins(ranking, own.corpus, first_stage, k)
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
