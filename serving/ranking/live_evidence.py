"""Evidence as it comes in, held in memory: what takes effect within seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Floats
from foundation.contracts import PRIOR_CURVE, Evidence
from foundation.packed_evidence import QueryEvidence
from serving.ranking.memory import QueryMemory, Remembered

_PRIOR_LOG_ODDS = -2.0
_WORTH_REMEMBERING = 0.5
_MIN_USERS = 2


@dataclass(slots=True)
class _Newer:
    """What users chose since a version was trained; grows in place, so that no search has to build it."""

    keys: set[str]
    memory: QueryMemory


class LiveMemory:
    """The present evidence of a collection, refreshed by one thread and read by many.

    Args:
        encode_query: Unit vector of one query.
    """

    def __init__(self, encode_query: Callable[[str], Floats], dimension: int) -> None:
        self._encode_query = encode_query
        self._dimension = dimension
        self._queries: dict[str, QueryEvidence] = {}
        self._changed: dict[str, int] = {}
        self._remembered: dict[str, Remembered] = {}
        self._newer: dict[int, _Newer] = {}
        self._others: dict[str, LiveMemory] = {}
        self._lock = threading.Lock()
        self.change = 0

    def empty(self) -> LiveMemory:
        """Return a memory of nothing that takes the vectors of this one's queries."""
        return LiveMemory(self.vector, self._dimension)

    def under(self, name: str, encode_query: Callable[[str], Floats], dimension: int) -> LiveMemory:
        """Return the same evidence with the vectors of another encoder; it hears of what comes as this one does.

        Args:
            name: Of the encoder.
        """
        with self._lock:
            other = self._others.get(name)
            if other is None:
                other = LiveMemory(encode_query, dimension)
                other._begin_like(self)
                self._others[name] = other
            return other

    def update(self, queries: Iterable[QueryEvidence], change: int) -> None:
        """Replace the evidence of `queries`, as of `change`; may be repeated after a failure half-way."""
        queries = list(queries)
        with self._lock:
            for other in self._others.values():
                other.update(queries, change)
            changed, remembered = set(), False
            for query in queries:
                self._queries[query.key] = query
                self._changed[query.key] = change
                remembered |= self._remember(query)
                changed.add(query.key)
            for since, newer in self._newer.items():
                if change > since:
                    newer.keys |= changed
                    if remembered:
                        newer.memory = self._memory_of(newer.keys)
            self.change = max(self.change, change)

    def rows(self, key: str) -> list[Evidence]:
        """Return the evidence of one query, empty when there is none."""
        query = self._queries.get(key)
        return query.rows() if query else []

    def vector(self, key: str) -> Floats:
        """Return the unit vector of a query, without the encoder where it is remembered."""
        known = self._remembered.get(key)
        return self._encode_query(key) if known is None else known.vector

    def knows(self, key: str) -> bool:
        """Return whether there is evidence of a query."""
        query = self._queries.get(key)
        return query is not None and bool(query.documents)

    def memory_since(self, change: int) -> tuple[QueryMemory, Container[str]]:
        """Return the memory of queries whose evidence is newer than `change`, and their keys."""
        newer = self._newer.get(change)
        if newer is None:
            with self._lock:
                keys = {key for key, at in self._changed.items() if at > change}
                newer = self._newer[change] = _Newer(keys, self._memory_of(keys))
        return newer.memory, newer.keys

    def keep(self, changes: Container[int]) -> None:
        """Keep what is newer than these changes only; no version is left that knew others."""
        with self._lock:
            self._newer = {change: newer for change, newer in self._newer.items() if change in changes}
            for other in self._others.values():
                other.keep(changes)

    def _begin_like(self, memory: LiveMemory) -> None:
        """Take over what another memory knows; its lock is held."""
        self._queries, self._changed, self.change = dict(memory._queries), dict(memory._changed), memory.change
        for query in self._queries.values():
            self._remember(query)

    def _memory_of(self, keys: set[str]) -> QueryMemory:
        return QueryMemory([self._remembered[key] for key in sorted(keys & self._remembered.keys())], self._dimension)

    def _remember(self, query: QueryEvidence) -> bool:
        """Remember what users of a query chose, or forget it; return whether there is or was something."""
        rows = query.rows(_MIN_USERS)
        choices = {row.document_id: relevance for row in rows if (relevance := relevance_of(row)) > 0}
        if not choices:
            return self._remembered.pop(query.key, None) is not None
        self._remembered[query.key] = Remembered(query.key, self._encode_query(query.key), choices)
        return True


def relevance_of(row: Evidence) -> float:
    """Return the live relevance of a document, 0 unless at least two people speak for it."""
    if row.users < _MIN_USERS:
        return 0.0
    log_odds = _PRIOR_LOG_ODDS + PRIOR_CURVE.log_odds(row.shown, row.clicked)
    relevance = float(1 / (1 + np.exp(-log_odds)))
    return relevance if relevance > _WORTH_REMEMBERING else 0.0
