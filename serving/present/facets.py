"""The values that documents have in a field, counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from foundation.arrays import Flags
from foundation.language.folding import fold
from serving.index.corpus import Corpus
from serving.index.fields.request import FacetRequest
from serving.index.fields.values import Value

_RANGED = frozenset({"number", "date"})


@dataclass(frozen=True, slots=True)
class Facet:
    """One field, counted over all that a search matches.

    Attributes:
        values: The most frequent ones with the number of documents that have each.
        low: The smallest value of a field of numbers or dates, None of others and without any.
        high: The largest one.
    """

    values: Sequence[tuple[Value, int]]
    low: Value | None = None
    high: Value | None = None


def count_facets(corpus: Corpus, wanted: Sequence[FacetRequest], matched: Callable[[str], Flags]) -> dict[str, Facet]:
    """Return the fields that a search wants counted.

    Args:
        matched: Returns the rows over which a field is counted, bool by row; "" stands for every field whose own
            filter holds too.
    """
    every = np.flatnonzero(matched("")) if any(not one.multi for one in wanted) else np.zeros(0, np.int64)
    facets = {}
    for one in wanted:
        rows = np.flatnonzero(matched(one.field)) if one.multi else every
        span = corpus.fields.range(one.field, rows) if corpus.fields.types.get(one.field) in _RANGED else None
        low, high = span or (None, None)
        facets[one.field] = Facet(corpus.fields.count(one.field, rows, one.limit, fold(one.contains)), low, high)
    return facets
