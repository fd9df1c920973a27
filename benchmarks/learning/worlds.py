"""Judged collections as the learning benches use them: whole, in parts, and with a split to choose by."""

from __future__ import annotations

import numpy as np

from simulator.collection import JudgedCollection, Judgments, unseen_share

DEV_SHARE = 0.3
"""Share of the train queries that a choice of settings is measured on; the test queries stay unseen."""


def take_part(collection: JudgedCollection, documents: int, seed: int) -> JudgedCollection:
    """Return so many documents drawn at random, with the queries that they answer completely."""
    order = np.random.default_rng([seed, documents]).permutation(len(collection.documents))[:documents]
    kept = [collection.documents[place] for place in sorted(order.tolist())]
    names = {document["id"] for document in kept}
    qrels = {split: _answered(judgments, names) for split, judgments in collection.qrels.items()}
    return JudgedCollection(kept, collection.queries, qrels)


def with_dev_split(collection: JudgedCollection) -> JudgedCollection:
    """Return the train queries alone, a part of them as the split "test": what settings may be chosen by."""
    splits: dict[str, Judgments] = {"train": {}, "test": {}}
    for query, grades in collection.split("train").items():
        splits["test" if unseen_share(f"dev {collection.queries[query]}") < DEV_SHARE else "train"][query] = grades
    return JudgedCollection(collection.documents, collection.queries, splits)


def _answered(judgments: Judgments, names: set[str]) -> Judgments:
    found = {}
    for query, grades in judgments.items():
        relevant = {name for name, grade in grades.items() if grade > 0}
        if relevant and relevant <= names:
            found[query] = {name: grade for name, grade in grades.items() if name in names}
    return found
