"""Frozen, digested snapshots of evidence: what a candidate is learned from and judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa

from collector.api import latest_change, read_evidence
from foundation.arrays import Floats
from foundation.contracts import Evidence
from foundation.errors import Conflict
from foundation.ids import digest_json
from retrainer.data.splits import assign_folds, cluster_queries
from retrainer.data.threshold import GATE_SHARE, JUDGED_WEEKS, MIN_JUDGED, Threshold, is_clicked


@dataclass(frozen=True, slots=True)
class Dataset:
    """The evidence of a collection at one moment.

    Attributes:
        change: Evidence change number it knows.
        learn: Evidence of the queries to learn from.
        judge: Recent evidence of the queries to judge by; no cluster has queries in both.
        clusters: Cluster number by query key, for resampling whole clusters.
    """

    collection: str
    as_of: datetime
    change: int
    learn: list[Evidence]
    judge: list[Evidence]
    clusters: dict[str, int]

    @property
    def digest(self) -> str:
        """The sha256 of every row and of the split."""
        return digest_json(
            {
                "collection": self.collection,
                "change": self.change,
                "learn": [asdict(row) for row in self.learn],
                "judge": [asdict(row) for row in self.judge],
            }
        )


def freeze_dataset(
    engine: sa.Engine,
    collection: str,
    now: datetime,
    half_life_days: float,
    encode: Callable[[list[str]], Floats],
) -> Dataset:
    """Return the evidence of a collection as it stands, split by query cluster and by time.

    A cluster never changes sides, so no query that once judged is ever learned from. Evidence to learn from may be
    old and faded; candidates are judged only by what users did lately.

    Raises:
        Conflict: Too few queries have clicks for the gate to judge by; see `retrainer.data.threshold`.
    """
    change = latest_change(engine, collection)
    rows = _telling(read_evidence(engine, collection, now, half_life_days))
    recent = _telling(read_evidence(engine, collection, now, half_life_days, JUDGED_WEEKS))
    clicked = _clicked(recent)
    if len(clicked) < MIN_JUDGED:
        raise Conflict(f"collection {collection!r}: {Threshold(len(clicked)).tell()}")
    dataset = split_dataset(collection, now, change, rows, recent, encode)
    threshold = Threshold(len(clicked), len(_clicked(dataset.judge)))
    if not threshold.reached:
        raise Conflict(f"collection {collection!r}: {threshold.tell()}")
    return dataset


def split_dataset(
    collection: str,
    as_of: datetime,
    change: int,
    rows: list[Evidence],
    recent: list[Evidence],
    encode: Callable[[list[str]], Floats],
) -> Dataset:
    """Return evidence rows split by query cluster, with `recent` ones to judge by; see `freeze_dataset`."""
    keys = sorted({row.query_key for row in rows})
    clusters = cluster_queries(encode(keys))
    folds = assign_folds(keys, clusters, GATE_SHARE, "gate")
    judged = {key for key, fold in zip(keys, folds.tolist(), strict=True) if fold == 0}
    return Dataset(
        collection=collection,
        as_of=as_of,
        change=change,
        learn=[row for row in rows if row.query_key not in judged],
        judge=[row for row in recent if row.query_key in judged],
        clusters=dict(zip(keys, clusters.tolist(), strict=True)),
    )


def _clicked(rows: list[Evidence]) -> set[str]:
    return {row.query_key for row in rows if is_clicked(row)}


def _telling(rows: list[Evidence]) -> list[Evidence]:
    """Return the rows that tell something, in the order of their keys."""
    return sorted((row for row in rows if row.tells), key=lambda row: (row.query_key, row.document_id))
