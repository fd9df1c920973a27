"""Evidence as it comes in, held in memory: what takes effect within seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Set
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Floats
from foundation.contracts import PRIOR_CURVE
from foundation.packed_evidence import QueryEvidence
from serving.ranking.memory import QueryMemory, Remembered

EncodeQueries = Callable[[list[str]], Floats]

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
        encode: Unit vectors of queries, float32 of shape (queries, dimension).
    """

    def __init__(self, encode: EncodeQueries, dimension: int) -> None:
        self._encode = encode
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
        return LiveMemory(self.vectors, self._dimension)

    def under(self, name: str, encode: EncodeQueries, dimension: int) -> LiveMemory:
        """Return the same evidence with the vectors of another encoder; it hears of what comes as this one does.

        Args:
            name: Of the encoder.
        """
        with self._lock:
            other = self._others.get(name)
            if other is None:
                other = LiveMemory(encode, dimension)
                other._begin_like(self)
                self._others[name] = other
            return other

    def update(self, queries: Iterable[QueryEvidence], change: int) -> None:
        """Replace the evidence of `queries`, as of `change`; may be repeated after a failure half-way."""
        queries = list(queries)
        chosen = self._read_choices(queries)
        with self._lock:
            for other in self._others.values():
                other.update(queries, change)
            changed = {query.key for query in queries}
            remembered = bool(chosen) or not changed.isdisjoint(self._remembered)
            self._queries.update((query.key, query) for query in queries)
            self._changed.update(dict.fromkeys(changed, change))
            self._remember(changed, chosen)
            for since, newer in self._newer.items():
                if change > since:
                    newer.keys |= changed
                    if remembered:
                        newer.memory = self._memory_of(newer.keys)
            self.change = max(self.change, change)

    def evidence(self, key: str) -> QueryEvidence | None:
        """Return the evidence of one query, None when there is none."""
        return self._queries.get(key)

    def vectors(self, keys: list[str]) -> Floats:
        """Return the unit vectors of queries, without the encoder where they are remembered."""
        found = {key: known.vector for key in keys if (known := self._remembered.get(key))}
        unknown = [key for key in dict.fromkeys(keys) if key not in found]
        if unknown:
            found |= zip(unknown, self._encode(unknown), strict=True)
        return np.stack([found[key] for key in keys]) if keys else np.zeros((0, self._dimension), np.float32)

    def knows(self, key: str) -> bool:
        """Return whether there is evidence of a query."""
        query = self._queries.get(key)
        return query is not None and bool(query.documents)

    def memory_since(self, change: int) -> tuple[QueryMemory, Set[str]]:
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
        self._remember(set(self._queries), self._read_choices(list(self._queries.values())))

    def _memory_of(self, keys: set[str]) -> QueryMemory:
        return QueryMemory([self._remembered[key] for key in sorted(keys & self._remembered.keys())], self._dimension)

    def _read_choices(self, queries: list[QueryEvidence]) -> list[Remembered]:
        """Return what users of queries chose, of those whose users chose something."""
        choices = {query.key: chosen for query in queries if (chosen := read_choices(query))}
        vectors = self.vectors(list(choices))
        return [Remembered(key, vector, choices[key]) for key, vector in zip(choices, vectors, strict=True)]

    def _remember(self, changed: set[str], chosen: list[Remembered]) -> None:
        """Replace what is remembered of queries; the lock is held."""
        for key in changed:
            self._remembered.pop(key, None)
        self._remembered.update((one.key, one) for one in chosen)


def read_choices(query: QueryEvidence) -> dict[str, float]:
    """Return the live relevance of the documents of a query, of those that at least two people speak for."""
    several = np.flatnonzero(query.users >= _MIN_USERS)
    if not len(several):
        return {}
    log_odds = _PRIOR_LOG_ODDS + query.log_odds(PRIOR_CURVE)[several]
    relevance = 1 / (1 + np.exp(-log_odds))
    worth = relevance > _WORTH_REMEMBERING
    names = [query.documents[place] for place in several[worth].tolist()]
    return dict(zip(names, relevance[worth].tolist(), strict=True))
