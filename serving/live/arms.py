"""The arms of running experiments, ready to rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ab_testing.api import ArmSettings
from serving.ranking.live_evidence import LiveMemory
from serving.ranking.pipeline import Ranker, Ranking
from serving.ranking.retrieval import FirstStage
from serving.ranking.stage_timer import StageTimer
from serving.rules.settings import NO_RELEVANCE, Relevance

Run = tuple[str, int]
"""An experiment's id and the number of its start."""


@dataclass(frozen=True, slots=True)
class ArmNeeds:
    """What an arm is made of.

    Attributes:
        evidence: What both sides of its experiment read.
        relevance: The owner's settings, None for those that serve.
    """

    version: str
    settings: ArmSettings
    evidence: LiveMemory
    relevance: Relevance | None = None


@dataclass(frozen=True, slots=True)
class ArmRanker:
    """Ranks by one arm: by a version, and what the arm changes of how it serves."""

    ranker: Ranker
    version: str
    settings: ArmSettings
    relevance: Relevance = NO_RELEVANCE

    def knows(self, key: str) -> bool:
        """Return whether the evidence that both sides read holds anything of a query."""
        return self.ranker.live is not None and self.ranker.live.knows(key)

    def rank(self, first_stage: FirstStage, k: int, timer: StageTimer) -> Ranking:
        """Return the best `k` documents. What the request leaves out, the arm leaves out too."""
        if self.settings.meaning is False:
            first_stage = first_stage.without_meaning()
        if self.settings.rerank is False:
            first_stage = replace(first_stage, query=replace(first_stage.query, tokens=None))
        return self.ranker.rank(first_stage, k, timer)


Arms = Mapping[Run, Mapping[str, ArmRanker]]
"""By run, the arms by name."""


def make_ranker(needs: ArmNeeds, held: Ranker) -> Ranker:
    """Return what ranks an arm.

    Args:
        held: What ranks by the arm's version, with its own settings and the present evidence.
    """
    fusion = needs.settings.fusion or held.model.fusion
    if fusion == held.model.fusion and needs.evidence is held.live:
        return held
    return Ranker(held.corpus, replace(held.model, fusion=fusion), needs.evidence)
