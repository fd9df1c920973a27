"""From the first stage to a ranked list: candidates, features, fusion, click boost, late interaction, taste."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Flags, Floats
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.ranking.adaptation import Shifted, shift_documents
from serving.ranking.click_boost import NO_BOOSTS, ClickBoosts, add_boosts, read_boosts
from serving.ranking.features import Candidates, gather
from serving.ranking.fusion import fuse
from serving.ranking.live_evidence import LiveMemory
from serving.ranking.memory import Recalled
from serving.ranking.model import RankingModel
from serving.ranking.near_duplicates import collapse_near_duplicates
from serving.ranking.rerank import rerank
from serving.ranking.retrieval import FirstStage, retrieve
from serving.ranking.stage_timer import StageTimer

_DIGITS = 6
"""Scores that are equal so far are equal, and the document's key decides: every copy of a collection ranks alike."""


@dataclass(frozen=True, slots=True)
class RankedHit:
    """One ranked document.

    Attributes:
        score: The score it was ranked by, in log-odds up to a constant.
        parts: Scores by part: every feature, "owner" for the owner's settings, "evidence" for the click boost, "late"
            for late interaction, and "personal" for the person's taste.
        team: The side that brought it to an interleaved list, else "".
        propensity: Probability that it stands at its rank, 1 outside interleaved lists.
        own_ranks: Its rank in each list that was interleaved, 0 where that lacks it.
        rule: The rule that put it at its rank by force, "" for none.
    """

    row: int
    document_id: str
    score: float
    parts: dict[str, float]
    team: str = ""
    propensity: float = 1.0
    own_ranks: tuple[int, ...] = ()
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """A ranked list, and on whose behalf it was ranked.

    Attributes:
        hits: The best documents, best first.
        candidates: Rows of all documents that were ranked.
        version: The version that ranked; of an interleaved list, the control. "" for a ranker by itself.
        arm: "champion" outside experiments, else the experiment's arm.
        experiment: The experiment's id, "" for none.
        first_difference: First rank, from 1, at which the lists that were interleaved differ; 0 where none were, or
            where they are equal.
    """

    hits: list[RankedHit]
    candidates: list[int]
    version: str = ""
    arm: str = ""
    experiment: str = ""
    first_difference: int = 0


class Ranker:
    """Ranks one corpus by one version. Safe to use from many threads.

    Args:
        live: Evidence since training; None ranks by the version alone.
    """

    def __init__(self, corpus: Corpus, model: RankingModel, live: LiveMemory | None = None) -> None:
        self.corpus = corpus
        self.model = model
        self.live = live
        self._shifted: tuple[int, Shifted] | None = None

    def ranks_like(self, other: Ranker) -> bool:
        """Return whether another ranker is made of the very same parts."""
        mine, theirs = self.model, other.model
        same_model = mine.memory is theirs.memory and mine.fusion == theirs.fusion  # each load makes its own memory
        return same_model and self.live is other.live and self.corpus is other.corpus

    def search(self, query: Query, k: int, allowed: Flags | None = None) -> Ranking:
        """Retrieve and rank: return the best `k` documents, of the rows that are allowed."""
        return self.rank(retrieve(self.corpus, query, allowed), k)

    def rank(self, first_stage: FirstStage, k: int, timer: StageTimer | None = None) -> Ranking:
        """Return the best `k` of the documents that the first stage and the version's memory bring."""
        timer = timer or StageTimer()
        query = first_stage.query
        boosts = self.read_boosts(query)
        timer.end("memory")
        candidates = self.candidates(first_stage, boosts.lifted)
        timer.end("features")
        scores, owner = self._weigh(candidates, first_stage)
        places = {row: number for number, row in enumerate(candidates.rows)}
        named = {name: places[row] for name in boosts.documents if (row := self.corpus.row(name)) in places}
        boosted = add_boosts(scores, boosts, named)
        lifts = boosted - scores
        timer.end("fuse")
        scores = boosted
        late = np.zeros_like(scores)
        if query.tokens is not None and candidates.rows:
            late = rerank(self.corpus, query.tokens, candidates.rows, scores)
            timer.end("rerank")
        scores = scores + late
        order = np.lexsort((self.corpus.columns.keys[candidates.rows], -np.round(scores, _DIGITS))).tolist()
        personal = np.zeros_like(scores)
        if first_stage.taste is not None and first_stage.taste.is_known:
            order, personal = first_stage.taste.arrange(self.corpus, candidates.rows, order, scores)
            scores = scores + personal
            timer.end("personal")
        kept = collapse_near_duplicates(self.corpus, [candidates.rows[number] for number in order], k)
        timer.end("diversify")
        hits = [
            RankedHit(
                row=candidates.rows[number],
                document_id=self.corpus.name(candidates.rows[number]),
                score=float(scores[number]),
                parts=dict(zip(candidates.names, candidates.values[number].tolist(), strict=True))
                | {"owner": float(owner[number]), "evidence": float(lifts[number]), "late": float(late[number])}
                | {"personal": float(personal[number])},
            )
            for number in (order[position] for position in kept)
        ]
        return Ranking(hits, candidates.rows)

    def candidates(self, first_stage: FirstStage, documents: Collection[str] = ()) -> Candidates:
        """Return the candidates of a query and their features.

        Args:
            documents: Ids that must be among them.
        """
        return gather(
            self.corpus,
            first_stage,
            adapter=self.model.adapter,
            shifted=self._shift(),
            memory=self.recall(first_stage.query),
            tower=self.model.tower.over(self.corpus) if self.model.tower else None,
            documents=documents,
            fields=self.model.fields,
        )

    def _weigh(self, candidates: Candidates, first_stage: FirstStage) -> tuple[Floats, Floats]:
        """Return the scores of candidates with what the owner adds to them, and that alone."""
        scores = fuse(candidates.values, self.model.fusion, self.model.weights, candidates.names)
        shaping = first_stage.shaping
        if not shaping.moves:
            return scores, np.zeros_like(scores)
        owner = shaping.lift(self.corpus, np.array(candidates.rows, np.int64)).astype(np.float32)
        return scores + owner, owner

    @property
    def remembers(self) -> bool:
        """Whether there is anything that users of other queries chose."""
        live = self.live and self.live.memory_since(self.model.memory_change)[0].past
        return bool(self.model.memory.past or live)

    def read_boosts(self, query: Query) -> ClickBoosts:
        """Return what the query's own clicks and skips say."""
        return read_boosts(self.live.evidence(query.key), self.model.curve) if self.live else NO_BOOSTS

    def recall(self, query: Query) -> Recalled:
        """Return what users of similar queries chose, by the version's memory and by what is newer than it."""
        if self.live is None:
            return self.model.memory.recall(query.key, query.vector)
        live, newer_keys = self.live.memory_since(self.model.memory_change)
        known = self.model.memory.recall(query.key, query.vector, newer_keys)
        return known.plus(live.recall(query.key, query.vector))

    def _shift(self) -> Shifted:
        stamp = self.corpus.size
        if self._shifted is None or self._shifted[0] != stamp:
            self._shifted = (stamp, shift_documents(self.corpus, self.model.residuals))
        return self._shifted[1]
