"""The part `fields`: what a learned order gains by price, stock and age, where users care and where they do not.

One candidate learns from the clicks of a shop's users with the fields as features, one without, and both rank queries
that neither has seen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.shop.kinds import World, attract, click_lists, hold, judge, learn_ranker, make_kinds

KINDS, QUICK_KINDS = 240, 80
GAIN, STILL = 0.02, 0.002
FIELDS = {"price": 1, "stock": 2, "released": 1}
_CARE = 2.0
_SETS: dict[str, dict[str, int]] = {"text alone": {}, "with fields": FIELDS}

Tell = Callable[[str], None]


def measure_fields(seed: int, quick: bool, tell: Tell) -> tuple[list[Bar], dict[str, Any]]:
    """Return the gains in nDCG@10 on queries that nobody asked before, by learning from fields too."""
    gains, told = {}, {}
    for what, care in (("care", _CARE), ("do not care", 0.0)):
        tell(f"a shop whose users {what}")
        world = _make_world(np.random.default_rng(seed), QUICK_KINDS if quick else KINDS, care)
        half = len(world.queries) // 2
        evidence = click_lists(world, world.queries[:half], np.random.default_rng(seed + 1))
        asked = world.queries[half:]
        scores = {
            name: judge(world, learn_ranker(world, evidence, fields, seed), asked) for name, fields in _SETS.items()
        }
        gains[what] = scores["with fields"] - scores["text alone"]
        told[what] = {name: round(score, 4) for name, score in scores.items()}
    return [
        at_least("search.fields", "nDCG@10 gained by price, stock and age where users care", gains["care"], GAIN),
        at_most("search.fields", "nDCG@10 moved where they do not care", abs(gains["do not care"]), STILL),
    ], told


def _make_world(random: np.random.Generator, kinds: int, care: float) -> World:
    made = make_kinds(random, kinds, care)
    return World(hold(made.documents, random), made.names, attract(made.liked))
