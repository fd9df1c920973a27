from __future__ import annotations

from typing import Any

from benchmarks.search.changes import contradicts
from foundation.contracts import Manifest

MANIFESTS = {"v-1": Manifest(encoder="e", weights={"bm25": 2.0}), "v-2": Manifest(encoder="e", weights={"bm25": 3.0})}


def _answer(version: str, score: float | None, skipped: tuple[str, ...] = ("rerank",)) -> dict[str, Any]:
    scores = {"bm25": 1.5, "evidence": 0.0, "late": 0.0}
    hits = [] if score is None else [{"score": score, "scores": scores}]
    return {"version": version, "hits": hits, "skipped": list(skipped)}


def test_scores_must_follow_from_the_version_that_the_answer_names() -> None:
    assert not contradicts(_answer("v-1", 3.0), MANIFESTS)
    assert contradicts(_answer("v-2", 3.0), MANIFESTS)
    assert contradicts(_answer("v-9", 3.0), MANIFESTS)


def test_an_empty_answer_is_a_contradiction_unless_it_says_that_meaning_was_left_out() -> None:
    assert contradicts(_answer("v-1", None), MANIFESTS)
    assert not contradicts(_answer("v-1", None, ("rerank", "meaning")), MANIFESTS)
    assert contradicts(_answer("v-9", None, ("rerank", "meaning")), MANIFESTS)
