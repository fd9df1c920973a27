"""How good rankings are by the judgments (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ir_measures


def ndcg(
    judgments: Mapping[str, Mapping[str, int]], rankings: Mapping[str, Sequence[str]], k: int = 10
) -> dict[str, float]:
    """Return nDCG@k by query id, as trec_eval computes it.

    Queries that nobody judged are left out; judged ones without documents score 0.

    Args:
        judgments: Grades by query id and document id.
        rankings: Document ids by query id, best first.
    """
    asked = {query: dict(judgments[query]) for query in rankings if judgments.get(query)}
    run = {query: {document: -float(rank) for rank, document in enumerate(rankings[query])} for query in asked}
    # trec_eval says nothing of a query without results.
    answered = {query: scores for query, scores in run.items() if scores}
    measured = ir_measures.iter_calc([ir_measures.nDCG @ k], asked, answered) if answered else ()
    return dict.fromkeys(asked, 0.0) | {metric.query_id: float(metric.value) for metric in measured}
