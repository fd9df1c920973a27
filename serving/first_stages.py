"""One search as each encoder reads it: the query and what the indexes find, made when a version first asks for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from serving.encode.query import Query
from serving.index.space import Space
from serving.live.collection_state import ServingSnapshot
from serving.query.scope import SearchScope
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import FirstStage, read_query, retrieve
from serving.ranking.stage_timer import StageTimer


class FirstStages:
    """What the indexes find for one search. Versions of one encoder share it.

    Args:
        scope: What may be listed.
        key: The normal form of what was typed.
        skipped: Stages to leave out.
    """

    def __init__(
        self,
        snapshot: ServingSnapshot,
        scope: SearchScope,
        key: str,
        *,
        skipped: tuple[str, ...],
        timer: StageTimer,
    ) -> None:
        self._snapshot = snapshot
        self._scope = scope
        self._key = key
        self._skipped = skipped
        self._timer = timer
        self._found: dict[str, FirstStage] = {}

    def space_of(self, ranker: Ranker) -> Space:
        """Return the space in which a ranker ranks."""
        return self._snapshot.space_of(ranker.model)

    def retrieve(self, space: Space) -> FirstStage:
        """Return what the indexes of a space find."""
        if space.encoder not in self._found:
            query = self._encode(space)
            self._timer.end("encode")
            allowed = self._scope.allowed(space.corpus)
            self._timer.end("filter")
            self._found[space.encoder] = retrieve(space.corpus, query, allowed, self._timer)
        return self._found[space.encoder]

    def _encode(self, space: Space) -> Query:
        """Return the query as the space's encoder reads it, without what must be skipped."""
        text = self._scope.asked.text
        if not text:
            return Query("", self._key, np.zeros(space.corpus.dense.dimension, np.float32))
        meaning = "meaning" not in self._skipped
        query = read_query(space.corpus, space.embedder, text, self._key, meaning=meaning)
        return replace(query, tokens=None) if "rerank" in self._skipped else query
