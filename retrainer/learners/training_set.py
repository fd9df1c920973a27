"""The training set of some evidence: its queries, encoded and split into folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from foundation.arrays import Floats, Ints
from foundation.contracts import Evidence
from retrainer.data.splits import assign_folds, cluster_queries
from serving.encode.query import Query

FOLDS = 3


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What a candidate is learned from.

    Attributes:
        evidence: Rows of the training queries.
        queries: The training queries, in the order of their keys.
        folds: Fold of each query; clusters of alike queries share one.
        fields: Columns of documents' fields that are learned from too, see `serving.index.fields.normalised`.
    """

    evidence: list[Evidence]
    queries: list[Query]
    folds: Ints
    fields: tuple[str, ...] = ()


def prepare_training_set(
    evidence: list[Evidence], encode: Callable[[list[str]], Floats], fields: tuple[str, ...] = ()
) -> TrainingSet:
    """Return the training set of some evidence: its queries, encoded and split into folds."""
    keys = sorted({row.query_key for row in evidence})
    vectors = encode(keys)
    folds = assign_folds(keys, cluster_queries(vectors), FOLDS, "fold")
    queries = [Query(key, key, vector) for key, vector in zip(keys, vectors, strict=True)]
    return TrainingSet(evidence, queries, folds, fields)
