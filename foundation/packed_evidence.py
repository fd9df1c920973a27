"""The evidence of one query in a sixth of the memory of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np
import numpy.typing as npt

from foundation.arrays import Doubles
from foundation.contracts import ClickCurve, Evidence

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

    @property
    def users(self) -> Counts:
        """How many people speak for each document, shape (documents,)."""
        return self.counts[:, -OTHERS]

    @property
    def clicked(self) -> Counts:
        """Clicks by document and rank, shape (documents, ranks)."""
        return self.counts[:, self._ranks : -OTHERS]

    @property
    def passed(self) -> Counts:
        """Lists that passed each document over, by document and rank; shape (documents, ranks)."""
        return self.counts[:, : self._ranks] - self.clicked

    @property
    def praise(self) -> Counts:
        """How many more were satisfied with each document than were not, shape (documents,)."""
        return self.counts[:, 1 - OTHERS] - self.counts[:, 2 - OTHERS]

    def log_odds(self, curve: ClickCurve) -> Doubles:
        """Return what `ClickCurve.log_odds` says of each document's clicks and skips, shape (documents,)."""
        click, skip = read_curve(curve, self._ranks)
        seen = self.counts[:, : self._ranks] > 0
        odds: Doubles = np.where(seen, self.clicked, 0) @ click + np.where(seen, self.passed, 0) @ skip
        return odds

    @property
    def _ranks(self) -> int:
        columns: int = self.counts.shape[1]
        return (columns - OTHERS) // 2

    def rows(self, min_users: float = 0) -> list[Evidence]:
        """Return the documents' rows, of those that so many users at least stand behind."""
        ranks = self._ranks
        places = np.flatnonzero(self.counts[:, -OTHERS] >= min_users)
        return [
            Evidence(self.key, self.documents[place], tuple(line[:ranks]), tuple(line[ranks:-OTHERS]), *line[-OTHERS:])
            for place, line in zip(places.tolist(), self.counts[places].tolist(), strict=True)
        ]


@lru_cache
def read_curve(curve: ClickCurve, ranks: int) -> tuple[Doubles, Doubles]:
    """Return what one click and what one skip says at each rank, in log-odds; shape (ranks,) each."""
    alone = [tuple(float(one == rank) for one in range(ranks)) for rank in range(ranks)]
    click = np.array([curve.log_odds(seen, seen) for seen in alone])
    skip = np.array([curve.log_odds(seen, (0.0,) * ranks) for seen in alone])
    return click, skip


def pack(rows: Iterable[Evidence]) -> Iterator[QueryEvidence]:
    """Yield rows packed by query; those of one query stand together."""
    for key, found in groupby(rows, key=lambda row: row.query_key):
        whole = list(found)
        counts = [(*row.shown, *row.clicked, row.users, row.satisfied, row.dissatisfied) for row in whole]
        yield QueryEvidence(key, tuple(row.document_id for row in whole), np.array(counts, np.float32))
