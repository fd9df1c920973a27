"""One collection in memory: its documents, its evidence, and the versions that rank them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from serving.encode.encoder import Encoder
from serving.index.corpus import Corpus
from serving.live.failures import Failures
from serving.ranking.live_evidence import LiveMemory
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker


@dataclass(frozen=True, slots=True)
class ServingSnapshot:
    """What one request sees, though other things are swapped while it runs; a request reads it once.

    Attributes:
        corpus: The documents that every ranker ranks.
        champion: Id of the version that serves; "" until one does.
        rankers: Loaded versions by id, the champion among them.
    """

    corpus: Corpus
    champion: str = ""
    rankers: Mapping[str, Ranker] = field(default_factory=dict)


class CollectionState:
    """One collection of a replica. Requests read `snapshot`; followers swap it, one reference at a time.

    Attributes:
        snapshot: What serves at this moment.
        problem: Why the wanted champion does not serve, "" when it does.
        wanted: The version that should serve; "" until one is known.
        succession: The versions that may serve in its place, best first; None until they are needed.
        failures: The versions that do not load.
    """

    def __init__(self, corpus: Corpus, encoder: Encoder) -> None:
        self.snapshot = ServingSnapshot(corpus)
        self.live = LiveMemory(encoder.encode_query, encoder.dimension)
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
    def rankers(self) -> Mapping[str, Ranker]:
        """The loaded versions."""
        return self.snapshot.rankers

    def rank_by(self, model: RankingModel, corpus: Corpus | None = None) -> Ranker:
        """Return what ranks these documents, or those of `corpus`, by a model."""
        return Ranker(self.corpus if corpus is None else corpus, model, self.live)

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

    def move_to(self, corpus: Corpus) -> None:
        """Let every version rank other documents, those of a newer snapshot."""
        with self._swapping:
            rankers = {version: self.rank_by(ranker.model, corpus) for version, ranker in self.rankers.items()}
            self.snapshot = replace(self.snapshot, corpus=corpus, rankers=rankers)
