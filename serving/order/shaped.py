"""What the owner's settings make of an engine's candidates: what is hidden, moved and pinned of those sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from foundation.arrays import Doubles, Flags
from serving.index.corpus import Corpus
from serving.index.fields.filters import Condition
from serving.index.fields.table import FieldTable
from serving.order.candidates import Candidate
from serving.order.ordering import table_of
from serving.ranking.pipeline import Ranking
from serving.rules.placement import PlacedPin, place
from serving.rules.rule_book import Situation
from serving.rules.settings import Relevance
from serving.rules.shaping import AppliedRule, shape


@dataclass(frozen=True, slots=True)
class CandidateTable:
    """Candidates by place, as rules look at them."""

    fields: FieldTable
    names: Sequence[str]

    def matching(self, condition: Condition) -> Flags:
        """Return which candidates satisfy a condition, bool by place."""
        return self.fields.mask(condition, len(self.names), self._mark)

    def _mark(self, ids: Collection[str], rows: int) -> Flags:
        return np.array([name in ids for name in self.names[:rows]], np.bool_)


@dataclass(frozen=True, slots=True)
class ShapedCandidates:
    """What settings make of candidates.

    Attributes:
        owner: What is added to their scores, None for nothing.
        listed: Which may be listed, None for all.
        pins: Of those among them that are put at a rank.
        applied: The rules behind all this.
    """

    owner: Doubles | None = None
    listed: Flags | None = None
    pins: tuple[PlacedPin, ...] = ()
    applied: tuple[AppliedRule, ...] = ()

    @property
    def rearranges(self) -> bool:
        """Whether more candidates than are answered must be ranked."""
        return self.listed is not None or bool(self.pins)

    def without_hidden(self, ranking: Ranking) -> Ranking:
        """Return a list of candidates without those that may not be listed."""
        if self.listed is None:
            return ranking
        return replace(ranking, hits=[hit for hit in ranking.hits if self.listed[hit.row]])

    def pinned(self, ranking: Ranking, length: int) -> Ranking:
        """Return at most `length` of a list, with what is pinned at its rank; that is of no side of a draft."""
        known = {hit.document_id: hit for hit in ranking.hits}
        pins = [pin for pin in self.pins if pin.id in known]
        hits = [
            replace(known[name], rule=rule, team="", propensity=1.0) if rule else known[name]
            for name, rule in place(known, pins, length)
        ]
        return replace(ranking, hits=hits)


UNSHAPED = ShapedCandidates()


def shape_candidates(
    candidates: Sequence[Candidate], relevance: Relevance, situation: Situation, corpus: Corpus
) -> ShapedCandidates:
    """Return what settings make of an engine's candidates; fields count as they were sent, else as the catalog has."""
    if not relevance.orders:
        return UNSHAPED
    table = CandidateTable(table_of(candidates, corpus), [one.id for one in candidates])
    shaping = shape(relevance, situation, table)
    return ShapedCandidates(
        owner=shaping.lift(table, np.arange(len(candidates))) if shaping.moves else None,
        listed=shaping.narrow(table, None),
        pins=tuple(pin for pin in shaping.pins if pin.id in set(table.names)),
        applied=shaping.applied,
    )
