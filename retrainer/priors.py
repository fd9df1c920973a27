"""Fusion weights learned on other collections: where a collection's own learning starts."""

from __future__ import annotations

PRIOR_WEIGHTS: dict[str, float] = {
    "bm25": 0.5,
    "bm25_share": 1.0,
    "dense": 1.9,
    "dense_share": 1.7,
    "dense_mean": -8.1,
    "adapted": 1.9,
    "adapted_mean": 18.5,
    "memory": 0.7,
    "memory_words": 4.0,
    "title_covered": 1.6,
    "title_focus": -0.2,
}
