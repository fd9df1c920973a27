"""Answers a request to order what another engine found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ab_testing.api import Assignment
from foundation.contracts import query_key
from serving.answers import Answers
from serving.arms import arms_of, rank_by_arms
from serving.encode.query import Query
from serving.exposure import expose
from serving.index.space import Space
from serving.live.arms import ArmRanker
from serving.live.collection_state import ServingSnapshot
from serving.live.loader import Loader
from serving.order.candidates import Candidate
from serving.order.ordering import keep_order, order_candidates
from serving.order.shaped import ShapedCandidates, shape_candidates
from serving.ranking.pipeline import Ranker, Ranking
from serving.ranking.retrieval import read_query
from serving.ranking.stage_timer import StageTimer
from serving.records import RankedAnswer, SearchRequest
from serving.rules.rule_book import Situation
from serving.rules.settings import Relevance


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorderer:
    """Orders candidates as a search orders what it finds. Safe to use from many threads."""

    loader: Loader
    answers: Answers

    def rank(self, collection: str, request: SearchRequest, candidates: Sequence[Candidate]) -> RankedAnswer:
        """Return the order of an engine's candidates; its impression is durable then, or the answer says it is not.

        A collection of which nothing is known yet keeps the engine's order.

        Args:
            request: Its `limit` says how many are answered and logged.
            candidates: In the engine's order, each id once.

        Raises:
            NotReady: The collection is being loaded.
            InvalidRequest: The arm that is asked for is none.
        """
        timer = StageTimer()
        snapshot = self.loader.known(collection)
        visitor, draft = self.answers.draft(collection, request)
        admission = self.answers.admission
        until_s = admission.now() + request.budget_s
        with admission.turn():
            timer.end("wait")
            late = tuple(one for one in admission.stages_to_shed(until_s - admission.now()) if one == "meaning")
            if snapshot is None:
                ranking = replace(
                    keep_order(candidates, request.limit), version=self.loader.baseline().id, arm="champion"
                )
                impression = replace(draft, version=ranking.version, arm=ranking.arm)
            else:
                situation = Situation(query_key(draft.query), request.attributes, request.surface, draft.at)
                asked = _Asked(snapshot, request, situation, candidates, late, timer, {}, {})
                assignment = self.answers.assign(snapshot, draft, visitor, request, joins=not late)
                ranking = asked.rank(assignment)
                impression = expose(
                    draft, ranking, assignment, snapshot=snapshot, known=bool(visitor.user), took_s=timer.total_s
                )
        answer = RankedAnswer(
            request=request,
            ranking=ranking,
            impression=impression,
            skipped=late,
            late=late,
            timer=timer,
            until_s=until_s,
        )
        return self.answers.settle(answer, self.answers.publish(answer, ranking.hits))


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request in a collection that is known.

    Attributes:
        situation: What it is to rules.
        skipped: Stages to leave out.
        queries: The query by encoder, as far as it was needed.
        shaped: What settings make of the candidates, by revision.
    """

    snapshot: ServingSnapshot
    request: SearchRequest
    situation: Situation
    candidates: Sequence[Candidate]
    skipped: tuple[str, ...]
    timer: StageTimer
    queries: dict[str, Query]
    shaped: dict[int, ShapedCandidates]

    def rank(self, assignment: Assignment | None) -> Ranking:
        """Return the order by the champion, or by what an experiment draws.

        What rules pin stands at its rank in the list that is shown; where arms differ in their rules, in their own.
        """
        if assignment is None:
            relevance = self.snapshot.relevance
            ranking = self._rank_by(self.snapshot.rankers[self.snapshot.champion], relevance)
            ranking = replace(ranking, version=self.snapshot.champion, arm="champion")
            return self._shape(relevance).pinned(ranking, self.request.limit)
        arms = arms_of(self.snapshot, assignment)
        alike = len({arm.relevance.number for arm in arms}) == 1

        def rank(arm: ArmRanker) -> Ranking:
            own = self._rank_by(arm.ranker, arm.relevance, meaning=arm.settings.meaning is not False)
            return own if alike else self._shape(arm.relevance).pinned(own, self.request.limit)

        depth = self._depth(arms[0].relevance) if alike else self.request.limit
        ranking = rank_by_arms(self.snapshot, assignment, rank, depth, self.timer)
        return self._shape(arms[0].relevance).pinned(ranking, self.request.limit) if alike else ranking

    def _rank_by(self, ranker: Ranker, relevance: Relevance, *, meaning: bool = True) -> Ranking:
        query = self._read(ranker)
        if not meaning:
            query = replace(query, vector=np.zeros_like(query.vector))
        shaped = self._shape(relevance)
        ranking = order_candidates(
            self.candidates,
            self._depth(relevance),
            ranker=ranker,
            query=query,
            timer=self.timer,
            owner=shaped.owner,
        )
        return shaped.without_hidden(ranking)

    def _depth(self, relevance: Relevance) -> int:
        """Return how many candidates must be ranked for the list that is answered."""
        return len(self.candidates) if self._shape(relevance).rearranges else self.request.limit

    def _shape(self, relevance: Relevance) -> ShapedCandidates:
        if relevance.number not in self.shaped:
            corpus = self.snapshot.corpus
            self.shaped[relevance.number] = shape_candidates(self.candidates, relevance, self.situation, corpus)
            self.timer.end("rules")
        return self.shaped[relevance.number]

    def _read(self, ranker: Ranker) -> Query:
        """Return the query as a ranker's encoder reads it; without its meaning where nothing would be compared."""
        space: Space = self.snapshot.space_of(ranker.model)
        compares = ranker.remembers or ranker.model.fusion == "linear"
        if not compares:
            return Query(self.request.query, self.situation.key, np.zeros(space.corpus.dense.dimension, np.float32))
        if space.encoder not in self.queries:
            meaning = "meaning" not in self.skipped
            self.queries[space.encoder] = read_query(
                space.corpus, space.embedder, self.request.query, self.situation.key, meaning=meaning
            )
            self.timer.end("encode")
        return self.queries[space.encoder]
