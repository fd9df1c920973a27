"""Fusion weights learned on other collections: where a collection's own learning starts."""

from __future__ import annotations

PRIOR_WEIGHTS: dict[str, float] = {
    "bm25": 0.5,
    "bm25_share": 3.0,
    "dense": 3.0,
    "dense_share": 3.0,
    "dense_mean": 3.0,
    "adapted": 3.0,
    "adapted_mean": 8.0,
    "memory": 2.0,
    "memory_words": 2.0,
    "title_covered": 1.0,
    "title_focus": 1.0,
}
