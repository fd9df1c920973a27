"""The evidence of one query in a sixth of the memory of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from foundation.contracts import Evidence

Counts = npt.NDArray[np.float32] | npt.NDArray[np.float64]

OTHERS = 3
"""Columns of counts behind those by rank: users, satisfied, dissatisfied."""


@dataclass(frozen=True, slots=True)
class QueryEvidence:
    """What users did under one query.

    Attributes:
        documents: Ids, each once.
        counts: By document the lists that showed it and the clicks, by rank each, then `OTHERS`; shape
            (documents, 2 ranks + 3).
    """

    key: str
    documents: tuple[str, ...]
    counts: Counts

    def rows(self, min_users: float = 0) -> list[Evidence]:
        """Return the documents' rows, of those that so many users at least stand behind."""
        ranks = (self.counts.shape[1] - OTHERS) // 2
        places = np.flatnonzero(self.counts[:, -OTHERS] >= min_users)
        return [
            Evidence(self.key, self.documents[place], tuple(line[:ranks]), tuple(line[ranks:-OTHERS]), *line[-OTHERS:])
            for place, line in zip(places.tolist(), self.counts[places].tolist(), strict=True)
        ]


def pack(rows: Iterable[Evidence]) -> Iterator[QueryEvidence]:
    """Yield rows packed by query; those of one query stand together."""
    for key, found in groupby(rows, key=lambda row: row.query_key):
        whole = list(found)
        counts = [(*row.shown, *row.clicked, row.users, row.satisfied, row.dissatisfied) for row in whole]
        yield QueryEvidence(key, tuple(row.document_id for row in whole), np.array(counts, np.float32))
