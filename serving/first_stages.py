"""One search as each encoder reads it: the query and what the indexes find, made when a version first asks for it."""

from __future__ import annotations

from dataclasses import replace

from serving.encode.query import Query
from serving.index.fields.filters import Condition
from serving.index.space import Space
from serving.live.collection_state import ServingSnapshot
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import FirstStage, read_query, retrieve
from serving.ranking.stage_timer import StageTimer


class FirstStages:
    """What the indexes find for one search. Versions of one encoder share it.

    Args:
        condition: What documents must satisfy, None for all.
        skipped: Stages to leave out.
    """

    def __init__(
        self,
        snapshot: ServingSnapshot,
        text: str,
        key: str,
        *,
        condition: Condition | None,
        skipped: tuple[str, ...],
        timer: StageTimer,
    ) -> None:
        self._snapshot = snapshot
        self._text = text
        self._key = key
        self._condition = condition
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
            allowed = space.corpus.matching(self._condition) if self._condition else None
            self._timer.end("filter")
            self._found[space.encoder] = retrieve(space.corpus, query, allowed, self._timer)
        return self._found[space.encoder]

    def _encode(self, space: Space) -> Query:
        """Return the query as the space's encoder reads it, without what must be skipped."""
        meaning = "meaning" not in self._skipped
        query = read_query(space.corpus, space.embedder, self._text, self._key, meaning=meaning)
        return replace(query, tokens=None) if "rerank" in self._skipped else query
