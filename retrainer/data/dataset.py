"""Frozen, digested snapshots of evidence: what a candidate is learned from and judged by."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import chain

import numpy as np
import sqlalchemy as sa

from collector.api import InterleavedSearch, latest_change, read_evidence, read_interleaved, read_surfaces
from foundation.arrays import Flags, Floats
from foundation.clock import period_of, start_of_period
from foundation.contracts import Evidence
from foundation.database.engine import reading
from foundation.errors import Conflict
from foundation.ids import digest_lines
from retrainer.data.splits import draw_folds, is_near_any
from retrainer.data.store import keep_clusters
from retrainer.data.threshold import FOLDS, JUDGED_WEEKS, MIN_JUDGED, MIN_KEPT_ASIDE, Threshold, is_clicked
from retrainer.gold.judgment import Grades

KeepClusters = Callable[[list[str], Floats], dict[str, str]]
"""Returns the cluster of each query by key, from keys and vectors; the same whenever it is asked."""


@dataclass(frozen=True, slots=True)
class JudgedFold:
    """Some query clusters, and all that a version may learn from that is to be judged by them.

    Attributes:
        learn: Evidence of the queries of other folds that are not nearly equal to one of this fold.
        judge: Recent evidence of the fold's queries.
    """

    number: int
    learn: list[Evidence]
    judge: list[Evidence]


@dataclass(frozen=True, slots=True)
class Dataset:
    """The evidence of a collection at one moment.

    Attributes:
        change: Evidence change number it knows, 0 where nobody said.
        learn: Evidence of the queries to learn from.
        folds: By what is judged. A single one is kept aside: nothing of it is in `learn`. Of several, each judges a
            version of its own, which learned without it, in the place of the one that learned from all.
        clusters: Cluster by query key, for resampling whole clusters.
        left_out: Queries that are neither learned from nor judged by, for they are nearly equal to one that is kept
            aside, or to one that people judged.
        surfaces: The surface on which each query was asked most lately, by query key.
        gold: Grades that people gave, by query key and document.
        interleaved: The lists of lately that chance has interleaved.
    """

    collection: str
    as_of: datetime
    change: int
    learn: list[Evidence]
    folds: tuple[JudgedFold, ...]
    clusters: Mapping[str, str]
    left_out: int = 0
    surfaces: Mapping[str, str] = field(default_factory=dict)
    gold: Grades = field(default_factory=dict)
    interleaved: tuple[InterleavedSearch, ...] = ()

    @property
    def judge(self) -> list[Evidence]:
        """Recent evidence of all queries that judge."""
        return [row for fold in self.folds for row in fold.judge]

    @property
    def cross_fitted(self) -> bool:
        """Whether every fold judges, each a version that learned without it."""
        return len(self.folds) > 1

    @property
    def digest(self) -> str:
        """The sha256 of every row and of the split."""
        split = {"collection": self.collection, "change": self.change, "folds": [fold.number for fold in self.folds]}
        rows = (asdict(row) for side in (self.learn, self.judge) for row in side)
        return digest_lines(chain([split | {"learn": len(self.learn)}], rows))


def freeze_dataset(
    engine: sa.Engine,
    collection: str,
    now: datetime,
    half_life_days: float,
    encode: Callable[[list[str]], Floats],
    gold: Grades,
    *,
    cross_fitting: bool = True,
) -> Dataset:
    """Return the evidence of a collection as it stands, split by query cluster and by time.

    A query keeps the cluster of its first sight (see `retrainer.data.store`, which writes those of new queries), and a
    cluster never changes its fold. Evidence to learn from may be old and faded; candidates are judged only by what
    users did lately.

    Args:
        gold: What people judged. Nothing is learned from these queries, from their clusters, nor from what is nearly
            equal to them.
        cross_fitting: Whether all folds may judge where the first one has too few clicked queries. If not, the first
            one judges alone.

    Raises:
        Conflict: Too few queries have clicks for the gate to judge by; see `retrainer.data.threshold`.
    """
    change = latest_change(engine, collection)
    rows = _telling(read_evidence(engine, collection, now, half_life_days))
    recent = _telling(read_evidence(engine, collection, now, half_life_days, JUDGED_WEEKS))
    threshold = Threshold(len(_clicked(recent)))
    if not threshold.reached:
        raise Conflict(f"collection {collection!r}: {threshold.tell()}")
    keep = partial(keep_clusters, engine, collection)
    dataset = split_dataset(collection, now, rows, recent, encode, keep, gold, cross_fitting=cross_fitting)
    if not cross_fitting and (aside := len(_clicked(dataset.judge))) < MIN_JUDGED:
        raise Conflict(
            f"collection {collection!r}: {threshold.clicked} queries have clicks lately, {aside} of them in the fold "
            f"that an encoder's learner keeps aside, and {MIN_JUDGED} of these are needed"
        )
    judged_since = start_of_period(period_of(now) - JUDGED_WEEKS)
    surfaces = read_surfaces(engine, collection, judged_since)
    with reading(engine) as connection:
        interleaved = tuple(read_interleaved(connection, collection, judged_since))
    return replace(dataset, change=change, surfaces=surfaces, gold=gold, interleaved=interleaved)


def split_dataset(
    collection: str,
    as_of: datetime,
    rows: list[Evidence],
    recent: list[Evidence],
    encode: Callable[[list[str]], Floats],
    keep: KeepClusters,
    gold: Collection[str] = (),
    *,
    cross_fitting: bool = True,
) -> Dataset:
    """Return evidence rows split by query cluster, with `recent` ones to judge by; see `freeze_dataset`."""
    asked = {row.query_key for row in rows}
    keys = sorted(asked.union(gold))
    vectors = encode(keys)
    clusters = keep(keys, vectors)
    numbers = draw_folds((clusters[key] for key in keys), FOLDS, "gate")
    fold_of = dict(zip(keys, numbers.tolist(), strict=True))
    golden = np.isin([clusters[key] for key in keys], [clusters[key] for key in gold])

    def teach(without: Flags) -> list[Evidence]:
        """Return the evidence of the queries outside, and not nearly equal to one inside."""
        near = is_near_any(vectors, vectors[without])
        taught = {keys[place] for place in np.flatnonzero(~without & ~near)}
        return [row for row in rows if row.query_key in taught]

    def cut(number: int) -> JudgedFold:
        learn = teach(golden | (numbers == number))
        return JudgedFold(number, learn, [row for row in recent if fold_of.get(row.query_key) == number])

    aside = cut(0)
    if not cross_fitting or len(_clicked(aside.judge)) >= MIN_KEPT_ASIDE:
        learned = {row.query_key for row in aside.learn}
        left_out = sum(fold_of[key] != 0 for key in asked - learned)
        return Dataset(collection, as_of, 0, aside.learn, (aside,), clusters, left_out)
    folds = (aside, *(cut(number) for number in range(1, FOLDS)))
    return Dataset(collection, as_of, 0, teach(golden), folds, clusters)


def _clicked(rows: list[Evidence]) -> set[str]:
    return {row.query_key for row in rows if is_clicked(row)}


def _telling(rows: list[Evidence]) -> list[Evidence]:
    """Return the rows that tell something, in the order of their keys."""
    return sorted((row for row in rows if row.tells), key=lambda row: (row.query_key, row.document_id))
