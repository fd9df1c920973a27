"""Fusion weights learned on other collections: where a collection's own learning starts.

Made by `python -m benchmarks.learning.priors` from true labels of 200 queries each of the PostgreSQL manual's
index and of BANKING77.
"""

from __future__ import annotations

PRIOR_WEIGHTS: dict[str, float] = {
    "bm25": -0.15,
    "bm25_share": 0.66,
    "text_share": 1.65,
    "dense": 0.41,
    "dense_share": 1.72,
    "dense_mean": -1.38,
    "adapted": 4.57,
    "adapted_mean": 8.47,
    "memory": 0.0,
    "memory_words": 0.94,
    "memory_best": 0.25,
    "memory_words_best": 1.17,
    "popular": 0.61,
    "title_covered": 1.93,
    "title_focus": -0.35,
    "length": 0.8,
    "tower": 0.0,
}
