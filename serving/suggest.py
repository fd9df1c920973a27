"""Query suggestions: `GET /v1/suggest`, from what people asked and were satisfied with, and from the documents."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
import structlog

from collector.api import AskedQuery, read_asked
from foundation.clock import Clock, monotonic_s
from foundation.errors import Overloaded, StoreAway
from serving.index.corpus import Corpus
from serving.present.phrases import read_phrases
from serving.present.suggestions import SuggestedQuery, Suggestions

MAX_SUGGESTIONS = 20
_REFRESH_S = 60.0
_FIRST_S = 1.0
"""The same while nothing is known, as where documents are just coming in."""

_log = structlog.get_logger("clickloop.suggest")


@dataclass(frozen=True, slots=True)
class _Offered:
    """What is proposed in a collection, and what it was made of.

    Attributes:
        documents: The corpus and the last change of it that was read.
    """

    read_at_s: float
    asked: list[AskedQuery]
    documents: tuple[int, int]
    suggestions: Suggestions


class Suggester:
    """The suggestions of every collection, read again in the background each minute that they are asked for.

    Args:
        min_users: How many different people must have asked a query before it is shown to others.
        corpus_of: Returns the documents of a collection whose titles and values are proposed, None for none.
        fields_of: Returns its fields whose values are.
    """

    def __init__(
        self,
        engine: sa.Engine,
        clock: Clock,
        min_users: int,
        *,
        corpus_of: Callable[[str], Corpus | None] = lambda _: None,
        fields_of: Callable[[str], Sequence[str]] = lambda _: (),
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._min_users = min_users
        self._corpus_of = corpus_of
        self._fields_of = fields_of
        self._known: dict[str, _Offered] = {}
        self._reading = threading.Lock()

    def complete(self, collection: str, typed: str, limit: int) -> list[str]:
        """Return completions of what was typed; a collection's first call waits for the database."""
        if collection not in self._known:
            with self._reading:
                if collection not in self._known:  # others may have waited too
                    self._read(collection)
        known = self._known[collection]
        kept_s = _REFRESH_S if len(known.suggestions) else min(_REFRESH_S, _FIRST_S)
        if monotonic_s() - known.read_at_s > kept_s and self._reading.acquire(blocking=False):
            threading.Thread(target=self._refresh, args=(collection,), name="suggestions", daemon=True).start()
        return known.suggestions.complete(typed, limit)

    def _refresh(self, collection: str) -> None:
        """Read again what is known; what was known stays when the database cannot be read."""
        try:
            self._read(collection)
        except (sa.exc.SQLAlchemyError, StoreAway, Overloaded) as problem:
            _log.warning("suggestions could not be read again", collection=collection, problem=str(problem))
        finally:
            self._reading.release()

    def _read(self, collection: str) -> None:
        asked = read_asked(self._engine, collection, self._clock.now(), self._min_users)
        corpus = self._corpus_of(collection)
        documents = (id(corpus), corpus.change) if corpus is not None else (0, 0)
        known = self._known.get(collection)
        if known is not None and (known.asked, known.documents) == (asked, documents):
            self._known[collection] = replace(known, read_at_s=monotonic_s())
            return
        queries = [SuggestedQuery(one.text, math.log1p(one.people) * one.satisfied) for one in asked]
        known_texts = [one.text for one in asked]
        phrases = read_phrases(corpus, self._fields_of(collection), known_texts) if corpus is not None else []
        self._known[collection] = _Offered(monotonic_s(), asked, documents, Suggestions((*queries, *phrases)))
