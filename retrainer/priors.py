"""Fusion weights learned on other collections: where a collection's own learning starts.

Made by `python -m bench.priors` from true labels of 200 queries each of the PostgreSQL manual's
index and of BANKING77.
"""

from __future__ import annotations

PRIOR_WEIGHTS: dict[str, float] = {
    "bm25": 0.55,
    "bm25_share": 1.3,
    "dense": 0.45,
    "dense_share": 1.69,
    "dense_mean": -2.93,
    "adapted": 4.3,
    "adapted_mean": 11.5,
    "memory": -2.02,
    "memory_words": 5.56,
    "title_covered": 1.58,
    "title_focus": -1.13,
}
