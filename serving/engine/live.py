"""Evidence as it comes in, held in memory: what takes effect within seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from foundation.contracts import PRIOR_CURVE, Evidence
from serving.engine.memory import QueryMemory, Remembered

Floats = npt.NDArray[np.float32]

_PRIOR_LOG_ODDS = -2.0
_WORTH_REMEMBERING = 0.5
_LEAST_USERS = 2


class LiveMemory:
    """The present evidence of a collection, refreshed by one thread and read by many.

    Args:
        encode_query: Unit vector of one query.
        dimension: Length of a vector.
    """

    def __init__(self, encode_query: Callable[[str], Floats], dimension: int) -> None:
        self._encode_query = encode_query
        self._dimension = dimension
        self._rows: dict[str, list[Evidence]] = {}
        self._changed: dict[str, int] = {}
        self._remembered: dict[str, Remembered] = {}
        self._since: dict[int, tuple[QueryMemory, frozenset[str]]] = {}
        self._lock = threading.Lock()
        self.change = 0

    def update(self, rows: Iterable[Evidence], change: int) -> None:
        """Replace the evidence of the queries that `rows` belong to, as of `change`."""
        grouped: dict[str, list[Evidence]] = {}
        for row in rows:
            grouped.setdefault(row.query_key, []).append(row)
        with self._lock:
            for key, found in grouped.items():
                self._rows[key] = found
                self._changed[key] = change
                self._remember(key, found)
            self.change = max(self.change, change)
            self._since = {}

    def rows(self, key: str) -> list[Evidence]:
        """Return the evidence of one query, empty when there is none."""
        return self._rows.get(key, [])

    def memory_since(self, change: int) -> tuple[QueryMemory, frozenset[str]]:
        """Return the memory of queries whose evidence is newer than `change`, and their keys."""
        known = self._since.get(change)
        if known is None:
            with self._lock:
                keys = frozenset(key for key, at in self._changed.items() if at > change)
                past = [self._remembered[key] for key in sorted(keys) if key in self._remembered]
                known = self._since[change] = QueryMemory(past, self._dimension), keys
        return known

    def _remember(self, key: str, rows: list[Evidence]) -> None:
        choices = {row.document_id: relevance for row in rows if (relevance := relevance_of(row)) > 0}
        if choices:
            self._remembered[key] = Remembered(key, self._encode_query(key), choices)
        else:
            self._remembered.pop(key, None)


def relevance_of(row: Evidence) -> float:
    """Return the live relevance of a document, 0 unless two people at least stand behind it."""
    if row.users < _LEAST_USERS:
        return 0.0
    log_odds = _PRIOR_LOG_ODDS + PRIOR_CURVE.log_odds(row.shown, row.clicked)
    relevance = float(1 / (1 + np.exp(-log_odds)))
    return relevance if relevance > _WORTH_REMEMBERING else 0.0
