"""One collection in memory: its documents, its evidence, and the versions that rank them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from serving.index.corpus import Corpus
from serving.index.space import Space
from serving.live.arms import ArmNeeds, ArmRanker, Arms, Run, make_ranker
from serving.live.failures import Failures
from serving.ranking.live_evidence import LiveMemory
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from serving.rules.settings import NO_RELEVANCE, Relevance


@dataclass(frozen=True, slots=True)
class ServingSnapshot:
    """What one request sees, though other things are swapped while it runs; a request reads it once.

    Attributes:
        own: The encoder of the settings.
        spaces: The documents by encoder, that of the settings among them.
        champion: Id of the version that serves; "" until one does.
        rankers: Loaded versions by id, the champion among them.
        arms: The arms of those running experiments that can take part here.
        relevance: The owner's settings that serve.
    """

    own: str
    spaces: Mapping[str, Space]
    champion: str = ""
    rankers: Mapping[str, Ranker] = field(default_factory=dict)
    arms: Arms = field(default_factory=dict)
    relevance: Relevance = NO_RELEVANCE

    @property
    def corpus(self) -> Corpus:
        """The documents as the champion ranks them."""
        champion = self.rankers.get(self.champion)
        return self.spaces[self.own].corpus if champion is None else champion.corpus

    def space_of(self, model: RankingModel) -> Space:
        """Return the space in which a model ranks."""
        return self.spaces[model.encoder or self.own]


class CollectionState:
    """One collection of a replica. Requests read `snapshot`; followers swap it, one reference at a time.

    Attributes:
        snapshot: What serves at this moment.
        problem: Why the wanted champion does not serve, "" when it does.
        wanted: The version that should serve; "" until one is known.
        succession: The versions that may serve in its place, best first; None until they are needed.
        failures: The versions that do not load.
    """

    def __init__(self, space: Space) -> None:
        self.snapshot = ServingSnapshot(space.encoder, {space.encoder: space})
        self.live = LiveMemory(space.embedder.embed_queries, space.embedder.encoder.dimension)
        self.problem = ""
        self.wanted = ""
        self.succession: list[str] | None = None
        self.failures = Failures()
        self._swapping = threading.Lock()

    @property
    def corpus(self) -> Corpus:
        """The documents that serve."""
        return self.snapshot.corpus

    @property
    def champion(self) -> str:
        """The version that serves."""
        return self.snapshot.champion

    @property
    def encoder(self) -> str:
        """The encoder of the version that serves."""
        champion = self.rankers.get(self.champion)
        return (champion.model.encoder if champion else "") or self.snapshot.own

    @property
    def rankers(self) -> Mapping[str, Ranker]:
        """The loaded versions."""
        return self.snapshot.rankers

    def rank_by(self, model: RankingModel) -> Ranker:
        """Return what ranks these documents by a model."""
        space = self.snapshot.space_of(model)
        return Ranker(space.corpus, model, self.evidence_in(space, self.live))

    def evidence_in(self, space: Space, evidence: LiveMemory) -> LiveMemory:
        """Return evidence with the vectors of a space."""
        if space.encoder == self.snapshot.own:
            return evidence
        return evidence.under(space.encoder, space.embedder.embed_queries, space.embedder.encoder.dimension)

    def add(self, version: str, model: RankingModel) -> None:
        """Hold a version ready."""
        with self._swapping:
            rankers = {**self.rankers, version: self.rank_by(model)}
            self.snapshot = replace(self.snapshot, rankers=rankers)

    def drop(self, version: str) -> None:
        """Forget a version."""
        with self._swapping:
            rankers = {name: ranker for name, ranker in self.rankers.items() if name != version}
            self.snapshot = replace(self.snapshot, rankers=rankers)
            self.live.keep({ranker.model.memory_change for ranker in rankers.values()})

    def point(self, version: str) -> None:
        """Let a version that is held serve."""
        with self._swapping:
            self.snapshot = replace(self.snapshot, champion=version)

    def follow_relevance(self, relevance: Relevance) -> None:
        """Let other settings of the owner's serve; arms that have none of their own follow."""
        with self._swapping:
            old = self.snapshot.relevance
            arms = {
                run: {
                    name: replace(arm, relevance=relevance) if arm.relevance is old else arm
                    for name, arm in mine.items()
                }
                for run, mine in self.snapshot.arms.items()
            }
            self.snapshot = replace(self.snapshot, relevance=relevance, arms=arms)

    def open(self, space: Space) -> None:
        """Let versions of a further encoder rank."""
        with self._swapping:
            self.snapshot = replace(self.snapshot, spaces={**self.snapshot.spaces, space.encoder: space})

    def close(self, encoder: str) -> Corpus | None:
        """Forget the space of an encoder that no version uses; return its documents, None where there is none."""
        with self._swapping:
            spaces = dict(self.snapshot.spaces)
            space = spaces.pop(encoder, None)
            self.snapshot = replace(self.snapshot, spaces=spaces)
            return space.corpus if space else None

    def uses(self, encoder: str) -> bool:
        """Return whether a version that is held ranks under an encoder."""
        return any((ranker.model.encoder or self.snapshot.own) == encoder for ranker in self._all_rankers())

    def move_to(self, corpus: Corpus, encoder: str) -> None:
        """Let every version of an encoder rank other documents, those of a newer snapshot."""
        with self._swapping:
            old = self.snapshot.spaces[encoder]
            spaces = {**self.snapshot.spaces, encoder: replace(old, corpus=corpus)}
            moved = {
                ranker: Ranker(corpus, ranker.model, ranker.live) if ranker.corpus is old.corpus else ranker
                for ranker in self._all_rankers()
            }
            rankers = {version: moved[ranker] for version, ranker in self.rankers.items()}
            arms = {
                run: {name: replace(arm, ranker=moved[arm.ranker]) for name, arm in mine.items()}
                for run, mine in self.snapshot.arms.items()
            }
            self.snapshot = replace(self.snapshot, spaces=spaces, rankers=rankers, arms=arms)

    def arrange(self, wanted: Mapping[Run, Mapping[str, ArmNeeds]]) -> None:
        """Let these experiments take part, all their arms at once; versions that they name are held."""
        with self._swapping:
            arms = {
                run: {name: self._arm(run, name, needs) for name, needs in mine.items()} for run, mine in wanted.items()
            }
            self.snapshot = replace(self.snapshot, arms=arms)

    def _arm(self, run: Run, name: str, needs: ArmNeeds) -> ArmRanker:
        """Return an arm, the one that is there where it is still the same: rankers keep what they computed."""
        held = self.rankers[needs.version]
        evidence = self.evidence_in(self.snapshot.space_of(held.model), needs.evidence)
        fresh = make_ranker(replace(needs, evidence=evidence), held)
        relevance = needs.relevance or self.snapshot.relevance
        old = self.snapshot.arms.get(run, {}).get(name)
        if old and old.ranker.ranks_like(fresh):
            return replace(old, relevance=relevance)
        return ArmRanker(fresh, needs.version, needs.settings, relevance)

    def _all_rankers(self) -> set[Ranker]:
        arms = (arm.ranker for mine in self.snapshot.arms.values() for arm in mine.values())
        return {*self.rankers.values(), *arms}
