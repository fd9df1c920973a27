"""Bar 5: what the approximate index finds of what comparing everything would, with and without filters."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.harness.report import Bar, at_least, at_most
from clickloop.container import Container
from foundation.contracts import DEFAULT_COLLECTION
from serving.index.corpus import Corpus
from serving.index.fields.filters import parse_filter

Floats = npt.NDArray[np.float32]

FILTERS = {"1%": "one_percent", "0.1%": "one_permille", "10 documents": "few"}
_DEPTH = 100
_PASSAGES = 500


def measure_recall(container: Container, queries: Sequence[str]) -> tuple[list[Bar], dict[str, Any]]:
    """Return recall@100 of documents against exact search over the same corpus, and the time of filtered search."""
    corpus = container.snapshots.open(DEFAULT_COLLECTION)
    vectors = container.encoder.encode(list(queries))
    plain = [_share(corpus, vector, None) for vector in vectors]
    bars = [at_least("search.5", f"recall@100 of {len(queries)} queries without a filter", float(np.mean(plain)), 0.98)]
    details: dict[str, Any] = {"passages": len(corpus.dense), "documents": len(corpus)}
    details["median ms, exact"] = _median_ms(lambda vector: corpus.dense.search_exactly(vector, _PASSAGES), vectors)
    details["median ms, approximate"] = _median_ms(lambda vector: corpus.dense.search(vector, _PASSAGES), vectors)
    for what, field in FILTERS.items():
        condition = parse_filter({field: True}, corpus.fields.types)
        allowed = corpus.matching(condition)
        shares = [_share(corpus, vector, allowed) for vector in vectors]
        times = [_time_ms(corpus, vector, field) for vector in vectors]
        bars.append(at_least("search.5", f"recall@100 under a filter of {what}", float(np.mean(shares)), 0.98))
        bars.append(at_most("search.5", f"99th percentile of filtered search, {what}, ms", _high(times), 50.0))
    container.snapshots.close(DEFAULT_COLLECTION, corpus)
    return bars, details


def _share(corpus: Corpus, vector: Floats, allowed: npt.NDArray[np.bool_] | None) -> float:
    """Return the share of the exactly nearest documents, those allowed, that `search` finds among its nearest."""
    exact = corpus.dense.search_exactly(vector, len(corpus.dense) if allowed is not None else _PASSAGES)
    wanted = [row for row in exact if allowed is None or allowed[row]][:_DEPTH]
    found = corpus.dense.search(vector, _PASSAGES, allowed)[:_DEPTH]
    return len(set(found) & set(wanted)) / len(wanted) if wanted else 1.0


def _time_ms(corpus: Corpus, vector: Floats, field: str) -> float:
    began = perf_counter()
    allowed = corpus.matching(parse_filter({field: True}, corpus.fields.types))
    corpus.dense.search(vector, _PASSAGES, allowed)
    return 1000 * (perf_counter() - began)


def _median_ms(search: Any, vectors: Floats) -> float:
    times = []
    for vector in vectors:
        began = perf_counter()
        search(vector)
        times.append(perf_counter() - began)
    return round(1000 * float(np.median(times)), 2)


def _high(times: list[float]) -> float:
    return float(np.quantile(times, 0.99))
