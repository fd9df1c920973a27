"""One search as each encoder reads it: the query and what the indexes find, made when a version first asks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from foundation.contracts import ClickCurve
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.index.space import Space
from serving.live.collection_state import ServingSnapshot
from serving.personal.taste import Taste
from serving.query.scope import SearchScope
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import FirstStage, read_query, retrieve
from serving.ranking.stage_timer import StageTimer
from serving.rules.personal_term import PersonalTerm
from serving.rules.rule_book import Situation
from serving.rules.settings import Relevance
from serving.rules.shaping import Shaping, shape


class TasteReader(Protocol):
    """Tells what the person who asks prefers."""

    def __call__(self, corpus: Corpus, term: PersonalTerm, *, curve: ClickCurve) -> Taste | None:
        """Return it, or None where it cannot be told now."""


class FirstStages:
    """What the indexes find for one search. Versions of one encoder under the same settings share it.

    Args:
        scope: What may be listed.
        situation: What the search is to rules; its key is the normal form of what was typed.
        skipped: Stages to leave out.
        read_taste: Of who asks, None for nobody; asked only where the owner's settings want it.

    Attributes:
        lacks_taste: Whether it was wanted and could not be told.
    """

    def __init__(
        self,
        snapshot: ServingSnapshot,
        scope: SearchScope,
        situation: Situation,
        *,
        skipped: tuple[str, ...],
        timer: StageTimer,
        read_taste: TasteReader | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._scope = scope
        self._situation = situation
        self._key = situation.key
        self._skipped = skipped
        self._timer = timer
        self._read_taste = read_taste
        self.lacks_taste = False
        self._found: dict[tuple[str, int], FirstStage] = {}
        self._shapings: dict[int, Shaping] = {}

    def space_of(self, ranker: Ranker) -> Space:
        """Return the space in which a ranker ranks."""
        return self._snapshot.space_of(ranker.model)

    def retrieve(self, space: Space, relevance: Relevance) -> FirstStage:
        """Return what the indexes of a space find under some settings of the owner's."""
        place = (space.encoder, relevance.number)
        if place not in self._found:
            shaping = self._shape(relevance)
            self._timer.end("rules")
            query = self._encode(space, shaping)
            self._timer.end("encode")
            allowed = shaping.narrow(space.corpus, self._scope.allowed(space.corpus))
            self._timer.end("filter")
            self._found[place] = retrieve(space.corpus, query, allowed, self._timer, shaping)
            if self._read_taste is not None and relevance.personal is not None:
                self._found[place] = replace(self._found[place], taste=self._taste(space, relevance.personal))
                self._timer.end("personal")
        return self._found[place]

    def _taste(self, space: Space, term: PersonalTerm) -> Taste | None:
        curve = self._snapshot.rankers[self._snapshot.champion].model.curve
        taste = self._read_taste(space.corpus, term, curve=curve) if self._read_taste else None
        self.lacks_taste = self.lacks_taste or taste is None
        return taste

    def _shape(self, relevance: Relevance) -> Shaping:
        if relevance.number not in self._shapings:
            self._shapings[relevance.number] = shape(relevance, self._situation, self._snapshot.corpus)
        return self._shapings[relevance.number]

    def _encode(self, space: Space, shaping: Shaping) -> Query:
        """Return the query as the space's encoder reads it, without what must be skipped."""
        text = self._scope.asked.text
        if not text:
            return Query("", self._key, np.zeros(space.corpus.dense.dimension, np.float32))
        meaning = "meaning" not in self._skipped
        known = shaping.expansions.words if shaping.expansions else frozenset()
        query = read_query(space.corpus, space.embedder, text, self._key, meaning=meaning, known=known)
        return replace(query, tokens=None) if "rerank" in self._skipped else query
