"""What is measured of a candidate beside its champion: all that the gate's checks know."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from foundation.arrays import Doubles
from retrainer.gate.ablation import Contribution
from retrainer.gate.comparison import Comparison
from retrainer.gate.off_policy import OffPolicyEstimate


@dataclass(frozen=True, slots=True)
class JudgedQueries:
    """Two versions on queries whose answers are known: nDCG@10 by query, arrays of shape (n,)."""

    keys: list[str] = field(default_factory=list)
    champion: Doubles = field(default_factory=lambda: np.zeros(0))
    candidate: Doubles = field(default_factory=lambda: np.zeros(0))

    @property
    def change(self) -> Doubles:
        """Change of nDCG@10 by query."""
        return self.candidate - self.champion

    def mean_change(self) -> tuple[float, float]:
        """Return the mean change and its standard error; without a query neither is anything."""
        change = self.change
        if not len(change):
            return 0.0, 0.0
        return float(change.mean()), float(change.std()) / math.sqrt(len(change))


@dataclass(frozen=True, slots=True)
class Latency:
    """Medians of the milliseconds of processor that two versions take to rank what is retrieved already."""

    champion_ms: float
    candidate_ms: float


@dataclass(frozen=True, slots=True)
class Measurements:
    """A candidate beside its champion.

    Attributes:
        comparison: Both on queries that neither learned from, as their clicks are read.
        clusters: Cluster by query key, for resampling whole clusters.
        champion_tops: The ten documents that the champion shows for the judged queries, by query key.
        candidate_tops: The same of the candidate.
        sibling_tops: The same of what stands in for the candidate; empty where it is judged itself.
        surfaces: The surface on which each query is asked most, by query key; "" where nobody knows.
        off_policy: What interleaved lists say of both; None where there are none.
        contributions: What each learned part adds to the likelihood of learned clicks, by its name.
        known_items: Both on titles of documents, each of which is to find its own.
        gold: Both on queries that people judged.
        latency: How long both take; None where nobody measured.
        reloaded_otherwise: Queries that the candidate ranks differently once its artifacts are loaded again.
        memory_mib: What its parts take in memory.
    """

    comparison: Comparison
    clusters: Mapping[str, str]
    seed: int
    champion_tops: Mapping[str, list[str]] = field(default_factory=dict)
    candidate_tops: Mapping[str, list[str]] = field(default_factory=dict)
    sibling_tops: Mapping[str, list[str]] = field(default_factory=dict)
    surfaces: Mapping[str, str] = field(default_factory=dict)
    off_policy: OffPolicyEstimate | None = None
    contributions: Mapping[str, Contribution] = field(default_factory=dict)
    known_items: JudgedQueries = field(default_factory=JudgedQueries)
    gold: JudgedQueries = field(default_factory=JudgedQueries)
    latency: Latency | None = None
    reloaded_otherwise: tuple[str, ...] = ()
    memory_mib: float = 0.0

    @property
    def ranks_as_champion(self) -> bool:
        """Whether the judged queries are ranked as before: by the candidate, or by all that stands in for it."""
        found = self.comparison
        same = bool(self.champion_tops) and self.champion_tops == self.candidate_tops
        return same or (not found.change.any() and bool(found.overlap.min() == 1))
