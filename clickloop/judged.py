"""Judgments of a BEIR folder as a training takes them, where people have judged instead of clicked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from foundation.arrays import Floats
from foundation.contracts import CURVE_RANKS, PRIOR_CURVE, ClickCurve, Evidence, Label, query_key
from foundation.errors import Conflict
from retrainer.data.dataset import Dataset, KeepClusters, split_dataset
from simulator.collection import read_beir

SPLIT = "train"
"""The queries that are learned from; those of other splits stay unseen, to compare by."""

_ONCE = (1.0, *(0.0,) * (CURVE_RANKS - 1))
_NEVER = (0.0,) * CURVE_RANKS


@dataclass(frozen=True, slots=True)
class JudgedLabels:
    """A labeller that knows the judgments.

    Attributes:
        relevance: In [0, 1], by query key and document.
    """

    relevance: dict[tuple[str, str], float]

    def __call__(
        self, evidence: list[Evidence], prior: dict[str, dict[str, float]], curve: ClickCurve | None
    ) -> tuple[list[Label], ClickCurve]:
        """Return a label of weight 1 for each judgment among the evidence; the prior says nothing beside it."""
        del prior
        pairs = [(row.query_key, row.document_id) for row in evidence]
        return [Label(*pair, self.relevance[pair], 1.0) for pair in pairs], curve or PRIOR_CURVE


def read_judged(
    folder: Path,
    collection: str,
    as_of: datetime,
    encode: Callable[[list[str]], Floats],
    keep: KeepClusters,
    *,
    cross_fitting: bool = True,
) -> tuple[Dataset, JudgedLabels]:
    """Return the judged queries of the split "train" as evidence, each judgment as one click, and their labels.

    The gate judges as with clicks: by a part of the queries that is kept aside, or by all where they are few.

    Raises:
        Conflict: The folder judges no query of this split.
    """
    judged = read_beir(folder)
    grades = {
        (query_key(judged.queries[query]), document): grade / judged.max_grade
        for query, found in judged.split(SPLIT).items()
        for document, grade in found.items()
    }
    if not any(grade > 0 for grade in grades.values()):
        raise Conflict(f"{folder} judges no query of the split {SPLIT!r} with a document that answers it")
    rows = [
        Evidence(key, document, _ONCE, _ONCE if grade > 0 else _NEVER, users=int(grade > 0))
        for (key, document), grade in sorted(grades.items())
    ]
    dataset = split_dataset(collection, as_of, rows, rows, encode, keep, cross_fitting=cross_fitting)
    return dataset, JudgedLabels({pair: max(grade, 0.0) for pair, grade in grades.items()})
