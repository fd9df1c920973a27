"""Fusion weights learned on other collections: where a collection's own learning starts.

Made by `python -m benchmarks.learning.priors` from true labels of 200 queries each of the PostgreSQL manual's
index and of BANKING77.
"""

from __future__ import annotations

PRIOR_WEIGHTS: dict[str, float] = {
    "bm25": 0.38,
    "bm25_share": -0.33,
    "text_share": 2.19,
    "dense": 0.09,
    "dense_share": 1.49,
    "dense_mean": -2.55,
    "adapted": 4.22,
    "adapted_mean": 11.17,
    "memory": -1.46,
    "memory_words": 4.71,
    "title_covered": 2.18,
    "title_focus": -0.68,
    "length": 0.82,
}
