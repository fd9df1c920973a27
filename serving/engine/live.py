"""Evidence as it comes in, held in memory: what takes effect within seconds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from foundation.contracts import PRIOR_CURVE, Evidence
from serving.engine.memory import QueryMemory, Remembered

Floats = npt.NDArray[np.float32]

_PRIOR_LOG_ODDS = -2.0
_WORTH_REMEMBERING = 0.5
_LEAST_USERS = 2


@dataclass(slots=True)
class _Newer:
    """What users chose since a version was trained; grows in place, so that searches never pay for it."""

    keys: set[str]
    memory: QueryMemory


@dataclass(frozen=True, slots=True)
class _Packed:
    """The evidence of one query in a sixth of the memory; most of a service's queries are never clicked on.

    Attributes:
        documents: Ids, shared with other queries.
        counts: By document the lists that showed it and the clicks, by rank each, then users, satisfied,
            dissatisfied; float32 of shape (documents, 2 ranks + 3).
    """

    documents: tuple[str, ...]
    counts: Floats

    @classmethod
    def of(cls, rows: list[Evidence]) -> _Packed:
        counts = [(*row.shown, *row.clicked, row.users, row.satisfied, row.dissatisfied) for row in rows]
        return cls(tuple(sys.intern(row.document_id) for row in rows), np.array(counts, np.float32))

    def unpack(self, key: str) -> list[Evidence]:
        ranks = (self.counts.shape[1] - 3) // 2
        return [
            Evidence(key, document, tuple(line[:ranks]), tuple(line[ranks:-3]), int(line[-3]), line[-2], line[-1])
            for document, line in zip(self.documents, self.counts.tolist(), strict=True)
        ]


class LiveMemory:
    """The present evidence of a collection, refreshed by one thread and read by many.

    Args:
        encode_query: Unit vector of one query.
        dimension: Length of a vector.
    """

    def __init__(self, encode_query: Callable[[str], Floats], dimension: int) -> None:
        self._encode_query = encode_query
        self._dimension = dimension
        self._rows: dict[str, _Packed] = {}
        self._changed: dict[str, int] = {}
        self._remembered: dict[str, Remembered] = {}
        self._newer: dict[int, _Newer] = {}
        self._lock = threading.Lock()
        self.change = 0

    def update(self, rows: Iterable[Evidence], change: int) -> None:
        """Replace the evidence of the queries that `rows` belong to, as of `change`.

        Args:
            rows: The rows of one query together. When reading them fails in between, the same comes again.
        """
        with self._lock:
            changed, remembered = set(), False
            for key, found in groupby(rows, key=lambda row: row.query_key):
                whole = list(found)
                self._rows[key] = _Packed.of(whole)
                self._changed[key] = change
                remembered |= self._remember(key, whole)
                changed.add(key)
            for since, newer in self._newer.items():
                if change > since:
                    newer.keys |= changed
                    if remembered:
                        newer.memory = self._memory_of(newer.keys)
            self.change = max(self.change, change)

    def rows(self, key: str) -> list[Evidence]:
        """Return the evidence of one query, empty when there is none."""
        packed = self._rows.get(key)
        return packed.unpack(key) if packed else []

    def memory_since(self, change: int) -> tuple[QueryMemory, Container[str]]:
        """Return the memory of queries whose evidence is newer than `change`, and their keys."""
        newer = self._newer.get(change)
        if newer is None:
            with self._lock:
                keys = {key for key, at in self._changed.items() if at > change}
                newer = self._newer[change] = _Newer(keys, self._memory_of(keys))
        return newer.memory, newer.keys

    def _memory_of(self, keys: set[str]) -> QueryMemory:
        return QueryMemory([self._remembered[key] for key in sorted(keys & self._remembered.keys())], self._dimension)

    def _remember(self, key: str, rows: list[Evidence]) -> bool:
        """Remember what users of a query chose, or forget it; return whether there is or was something."""
        choices = {row.document_id: relevance for row in rows if (relevance := relevance_of(row)) > 0}
        if not choices:
            return self._remembered.pop(key, None) is not None
        self._remembered[key] = Remembered(key, self._encode_query(key), choices)
        return True


def relevance_of(row: Evidence) -> float:
    """Return the live relevance of a document, 0 unless two people at least stand behind it."""
    if row.users < _LEAST_USERS:
        return 0.0
    log_odds = _PRIOR_LOG_ODDS + PRIOR_CURVE.log_odds(row.shown, row.clicked)
    relevance = float(1 / (1 + np.exp(-log_odds)))
    return relevance if relevance > _WORTH_REMEMBERING else 0.0
