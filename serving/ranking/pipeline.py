"""From a query to a ranked list: candidates, features, fusion, own evidence."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from foundation.contracts import Evidence
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.ranking.features import (
    FEATURES,
    Candidates,
    FirstStage,
    RankingContext,
    Shifted,
    gather,
    read,
    shift_documents,
)
from serving.ranking.fusion import fuse
from serving.ranking.memory import QueryMemory, click_boost
from serving.ranking.model import RankingModel
from serving.ranking.near_duplicates import collapse_near_duplicates
from serving.ranking.rerank import rerank
from serving.ranking.stage_timer import StageTimer

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


class LiveEvidence(Protocol):
    """Evidence newer than any training; see `serving.ranking.live_evidence`."""

    def rows(self, key: str) -> list[Evidence]:
        """Return the evidence of one query."""

    def memory_since(self, change: int) -> tuple[QueryMemory, Container[str]]:
        """Return the memory of queries whose evidence changed after `change`, and their keys."""


@dataclass(frozen=True, slots=True)
class RankedHit:
    """One ranked document.

    Attributes:
        score: The score it was ranked by, in log-odds up to a constant.
        parts: Scores by part: every feature, "evidence" for the query's own clicks,
            and "late" for late interaction.
    """

    row: int
    document_id: str
    score: float
    parts: dict[str, float]


@dataclass(frozen=True, slots=True)
class Ranking:
    """What ranking a query gave.

    Attributes:
        hits: The best documents, best first.
        candidates: Rows of all documents that were ranked.
    """

    hits: list[RankedHit]
    candidates: list[int]


class Ranker:
    """Ranks one corpus by one version. Safe to use from many threads.

    Args:
        live: Evidence since training; None ranks by the version alone.
    """

    def __init__(self, corpus: Corpus, model: RankingModel, live: LiveEvidence | None = None) -> None:
        self.corpus = corpus
        self.model = model
        self._live = live
        self._shifted: tuple[int, Shifted] | None = None

    def rank(
        self,
        query: Query,
        k: int,
        allowed: Flags | None = None,
        first_stage: FirstStage | None = None,
        timer: StageTimer | None = None,
    ) -> Ranking:
        """Return the best `k` documents, best first.

        Args:
            allowed: Limits the rows that may appear.
            first_stage: What the corpus says of the query under the same limits, when it has been read before.
            timer: Takes the time of each stage.
        """
        timer = timer or StageTimer()
        first_stage = first_stage or read(self.corpus, query, allowed, timer)
        rows = self._live.rows(query.key) if self._live else []
        own = click_boost(rows, self.model.curve)
        timer.end("memory")
        chosen = tuple(name for name, lift in own.items() if lift > 0)
        found = self.candidates(query, allowed, chosen, first_stage=first_stage)
        timer.end("features")
        scores = fuse(found.values, self.model.fusion, self.model.weights)
        lifts = np.zeros(len(found.rows), np.float32)
        if own:
            by_row = {self.corpus.row(name): lift for name, lift in own.items()}
            lifts[:] = [by_row.get(row, 0.0) for row in found.rows]
        timer.end("fuse")
        scores = scores + lifts
        late = np.zeros_like(scores)
        if query.tokens is not None and found.rows:
            late = rerank(self.corpus, query.tokens, found.rows, scores)
            timer.end("rerank")
        scores = scores + late
        order = np.argsort(-scores, kind="stable").tolist()
        kept = collapse_near_duplicates(self.corpus, [found.rows[place] for place in order], k)
        timer.end("diversify")
        hits = [
            RankedHit(
                found.rows[place],
                self.corpus.name(found.rows[place]),
                float(scores[place]),
                _parts(found.values[place], float(lifts[place]), float(late[place])),
            )
            for place in (order[one] for one in kept)
        ]
        return Ranking(hits, found.rows)

    def candidates(
        self,
        query: Query,
        allowed: Flags | None = None,
        documents: tuple[str, ...] = (),
        without: frozenset[str] = frozenset(),
        first_stage: FirstStage | None = None,
    ) -> Candidates:
        """Return the candidates of a query and their features.

        Args:
            documents: Ids that must be among them.
            without: Query keys whose memory must not be used, as when a fold is predicted.
            first_stage: What the corpus says of the query, when it has been read before.
        """
        live, keys = self._live.memory_since(self.model.memory_change) if self._live else (None, frozenset())
        context = RankingContext(
            live=live, live_keys=keys, without=without, documents=documents, allowed=allowed, first_stage=first_stage
        )
        return gather(self.corpus, self.model, self._shift(), query, context)

    def _shift(self) -> Shifted:
        stamp = self.corpus.size
        if self._shifted is None or self._shifted[0] != stamp:
            self._shifted = (stamp, shift_documents(self.corpus, self.model.residuals))
        return self._shifted[1]


def _parts(values: Floats, lift: float, late: float) -> dict[str, float]:
    return dict(zip(FEATURES, map(float, values), strict=True)) | {"evidence": lift, "late": late}
