"""How good rankings are by judgments of people (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ir_measures


def ndcg_by_query(grades: Mapping[str, Mapping[str, int]], tops: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Return nDCG@10 by query key, as trec_eval computes it, of the queries that have an answer.

    Args:
        tops: Document ids by query key, best first. A query without any scores 0.
    """
    asked = {key: dict(grades[key]) for key in sorted(tops) if any(grades.get(key, {}).values())}
    run = {key: {document: -float(rank) for rank, document in enumerate(tops[key])} for key in asked if tops[key]}
    found = ir_measures.iter_calc([ir_measures.nDCG @ 10], asked, run) if run else ()
    return dict.fromkeys(asked, 0.0) | {one.query_id: float(one.value) for one in found}
