"""What the teacher learns from and ranks: queries, each with a passage that answers and others near it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from foundation.contracts import Label
from retrainer.learners.encoder.pairs import MIN_RELEVANCE, choose_labels, find_negatives, nearest_passage
from serving.encode.query import Query
from serving.index.corpus import Corpus

OTHERS = 6
"""Passages beside the one that answers."""

_PER_QUERY = 2


@dataclass(frozen=True, slots=True)
class RankedGroup:
    """A query with passages to be ranked.

    Attributes:
        passages: The first one answers, `OTHERS` more are not known to.
        relevance: Of the first one, in (0, 1].
    """

    query: str
    passages: list[str]
    relevance: float


def make_groups(labels: Iterable[Label], corpus: Corpus, queries: Mapping[str, Query], seed: int) -> list[RankedGroup]:
    """Return groups for what labels speak for, in the order of their queries.

    The others are the nearest documents among the best by words and by meaning, those with a label left out; where
    there are too few, documents drawn at random. A document that nobody judged may answer too: the teacher, who
    learns from all groups, can say so.

    Args:
        corpus: Embedded by the encoder that is to be distilled.
        queries: Queries by key, encoded by it too.
    """
    generator = np.random.default_rng(seed)
    rows = [row for name in corpus.ids() if (row := corpus.row(name)) is not None and corpus.columns.counts[row]]
    groups: list[RankedGroup] = []
    if len(rows) <= OTHERS:
        return groups
    for key, chosen in sorted(choose_labels(labels, corpus).items()):
        query, wanted = queries[key], {row for _, row in chosen}
        near = [row for row, _ in find_negatives(corpus, query, wanted)][:OTHERS]
        drawn = [row for row in generator.permutation(rows).tolist() if row not in wanted and row not in near]
        others = [nearest_passage(corpus, row, query.vector)[0] for row in [*near, *drawn][:OTHERS]]
        answers = [(label, row) for label, row in chosen if label.relevance >= MIN_RELEVANCE][:_PER_QUERY]
        groups += [
            RankedGroup(query.text, [nearest_passage(corpus, row, query.vector)[0], *others], label.relevance)
            for label, row in answers
            if len(others) == OTHERS
        ]
    return groups
