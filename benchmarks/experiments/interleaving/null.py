"""Clicks by position alone prefer no side, however different the rankings are and however long each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.experiments.bars import Bar, Figure, at_most
from benchmarks.experiments.interleaving.searches import DEPTH, prefer
from benchmarks.harness.evaluation import EvaluationHarness, open_harness
from foundation.contracts import TEAMS
from foundation.settings import Settings
from serving.ranking.pipeline import Ranker
from simulator.docstrings import package_folders, parse_docstrings
from simulator.users import PositionUser

DOCUMENTS, QUERIES = 250, 100
SEARCHES, QUICK_SEARCHES = 60_000, 3000
BOUND = 2.0
"""Standard errors that the mean may lie from 0."""

PAIRS: dict[str, tuple[str, ...]] = {
    "alike": ("meaning", "words"),
    "reversed": ("meaning", "reversed"),
    "random": ("meaning", "random"),
    "longer": ("two by words", "meaning"),
    "shorter": ("meaning", "one at random"),
}
THREE: tuple[str, ...] = ("meaning", "words", "two by words")
_USER = PositionUser(noise=0.3)


def null(seed: int, quick: bool) -> list[Bar]:
    """Return a bar for each of five pairs of very different rankers, and two of three rankers in one list."""
    harness = open_harness(parse_docstrings(package_folders(("numpy",)), DOCUMENTS), Settings())
    ranked = _rank_all(harness, seed)
    searches = QUICK_SEARCHES if quick else SEARCHES
    compared = [(name, sides, "treatment") for name, sides in PAIRS.items()]
    compared += [(f"three_{number}", THREE, side) for number, side in enumerate(TEAMS[1:], start=1)]
    bars = []
    for place, (name, sides, treatment) in enumerate(compared):
        distance = _distance(
            [ranked[side] for side in sides], treatment, searches, np.random.default_rng([seed, place])
        )
        told = f"{' and '.join(sides)}, clicks by position alone, {searches} searches"
        what = f"distance of the mean preference from 0 in standard errors; {told}"
        bars.append(at_most(f"ab.interleaving.null.{name}", what, distance, bound=BOUND, quick=quick))
    return bars


def _distance(sides: list[list[list[str]]], treatment: str, searches: int, random: np.random.Generator) -> Figure:
    asked = random.integers(len(sides[0]), size=searches).tolist()
    signed, _ = prefer((([side[query] for side in sides], _click) for query in asked), random, treatment)
    return Figure(abs(float(signed.mean())) / (float(signed.std()) / searches**0.5), 1.0)


def _click(shown: Sequence[str], random: np.random.Generator) -> list[int]:
    return _USER.clicks([0] * len(shown), random)


def _rank_all(harness: EvaluationHarness, seed: int) -> dict[str, list[list[str]]]:
    """Return the lists of every ranker, query by query."""
    untaught = harness.untaught()
    alone = {"words": "bm25_share", "meaning": "dense_share"}
    models = {name: replace(untaught, fusion="linear", weights={share: 10.0}) for name, share in alone.items()}
    asked = sorted(harness.asked)[:QUERIES]
    lists = {
        name: [[hit.document_id for hit in ranker.search(harness.query(key), DEPTH).hits] for key in asked]
        for name, ranker in ((name, Ranker(harness.corpus, model)) for name, model in models.items())
    }
    random = np.random.default_rng(seed)
    ids = harness.corpus.ids()
    lists["reversed"] = [ranked[::-1] for ranked in lists["meaning"]]
    lists["random"] = [random.permutation(ids)[:DEPTH].tolist() for _ in asked]
    lists["two by words"] = [ranked[:2] for ranked in lists["words"]]
    lists["one at random"] = [ranked[:1] for ranked in lists["random"]]
    return lists
