"""Frozen, digested snapshots of evidence: what a candidate is learned from and judged by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial

import numpy as np
import sqlalchemy as sa

from collector.api import latest_change, read_evidence, read_surfaces
from foundation.arrays import Floats
from foundation.clock import period_of, start_of_period
from foundation.contracts import Evidence
from foundation.errors import Conflict
from foundation.ids import digest_json
from retrainer.data.splits import draw_folds, is_near_any
from retrainer.data.store import keep_clusters
from retrainer.data.threshold import GATE_SHARE, JUDGED_WEEKS, MIN_JUDGED, Threshold, is_clicked

KeepClusters = Callable[[list[str], Floats], dict[str, str]]
"""Returns the cluster of each query by key, from keys and vectors; the same whenever it is asked."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """The evidence of a collection at one moment.

    Attributes:
        change: Evidence change number it knows.
        learn: Evidence of the queries to learn from.
        judge: Recent evidence of the queries to judge by; no cluster has queries in both, and no query of one is
            nearly equal to one of the other.
        clusters: Cluster by query key, for resampling whole clusters.
        left_out: Queries that are neither learned from nor judged by: of a cluster to learn from, and nearly equal to
            a query of another that judges.
        surfaces: The surface on which each query was asked most lately, by query key.
    """

    collection: str
    as_of: datetime
    change: int
    learn: list[Evidence]
    judge: list[Evidence]
    clusters: Mapping[str, str]
    left_out: int = 0
    surfaces: Mapping[str, str] = field(default_factory=dict)

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

    A query keeps the cluster of its first sight (see `retrainer.data.store`, which writes those of new queries), and a
    cluster never changes sides: no query that once judged is ever learned from. Evidence to learn from may be old and
    faded; candidates are judged only by what users did lately.

    Raises:
        Conflict: Too few queries have clicks for the gate to judge by; see `retrainer.data.threshold`.
    """
    change = latest_change(engine, collection)
    rows = _telling(read_evidence(engine, collection, now, half_life_days))
    recent = _telling(read_evidence(engine, collection, now, half_life_days, JUDGED_WEEKS))
    clicked = _clicked(recent)
    if len(clicked) < MIN_JUDGED:
        raise Conflict(f"collection {collection!r}: {Threshold(len(clicked)).tell()}")
    dataset = split_dataset(collection, now, change, rows, recent, encode, partial(keep_clusters, engine, collection))
    threshold = Threshold(len(clicked), len(_clicked(dataset.judge)))
    if not threshold.reached:
        raise Conflict(f"collection {collection!r}: {threshold.tell()}")
    judged_since = start_of_period(period_of(now) - JUDGED_WEEKS)
    return replace(dataset, surfaces=read_surfaces(engine, collection, judged_since))


def split_dataset(
    collection: str,
    as_of: datetime,
    change: int,
    rows: list[Evidence],
    recent: list[Evidence],
    encode: Callable[[list[str]], Floats],
    keep: KeepClusters,
) -> Dataset:
    """Return evidence rows split by query cluster, with `recent` ones to judge by; see `freeze_dataset`."""
    keys = sorted({row.query_key for row in rows})
    vectors = encode(keys)
    clusters = keep(keys, vectors)
    judging = draw_folds((clusters[key] for key in keys), GATE_SHARE, "gate") == 0
    leaking = ~judging & is_near_any(vectors, vectors[judging])
    judged, taught = ({keys[place] for place in np.flatnonzero(side)} for side in (judging, ~judging & ~leaking))
    return Dataset(
        collection=collection,
        as_of=as_of,
        change=change,
        learn=[row for row in rows if row.query_key in taught],
        judge=[row for row in recent if row.query_key in judged],
        clusters=clusters,
        left_out=int(leaking.sum()),
    )


def _clicked(rows: list[Evidence]) -> set[str]:
    return {row.query_key for row in rows if is_clicked(row)}


def _telling(rows: list[Evidence]) -> list[Evidence]:
    """Return the rows that tell something, in the order of their keys."""
    return sorted((row for row in rows if row.tells), key=lambda row: (row.query_key, row.document_id))
