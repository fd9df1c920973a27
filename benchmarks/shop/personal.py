"""The part `personal`: what a personal order brings where tastes differ, and where they do not.

The shop of the part `fields`, whose order has learned price, stock and age from all. Every product is of a brand, a
field, and of a style, which only the words of its text tell. People like some of these more than others: each what she
likes, or nobody anything. Each chooses from some lists, and then asks what nobody asked before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.shop.business import FIELDS
from benchmarks.shop.kinds import (
    DEPTH,
    SHOWN,
    Kinds,
    World,
    attract,
    click_lists,
    hold,
    learn_ranker,
    make_kinds,
    ndcg,
    read_plainly,
)
from foundation.arrays import Doubles
from foundation.contracts import PRIOR_CURVE, ChosenList
from serving.personal.taste import read_taste
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import FirstStage, retrieve
from serving.rules.personal_term import PersonalTerm

KINDS, QUICK_KINDS = 240, 80
PEOPLE, QUICK_PEOPLE = 200, 60
READ, ASKED = 40, 20
GAIN, STILL = 0.02, 0.002
_CARE = 2.0
_BRANDS, _STYLES = 8, 6
_TASTE = 1.5
"""Standard deviation of what a brand or a style is worth to somebody, in log-odds."""
_PICKY = 1.0
"""How much less all products please one who looks for her own, in log-odds."""

_WORDS_OF_STYLE = 6
_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_TERM = PersonalTerm(kind="personal", fields=("brand",))

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Dressed:
    """Kinds whose products have a brand and a style, by id."""

    kinds: Kinds
    brands: dict[str, int]
    styles: dict[str, int]

    def liked_by(self, taste: tuple[Doubles, Doubles]) -> dict[str, dict[str, float]]:
        """Return how much somebody likes each product of each kind, in log-odds."""
        brands, styles = taste
        return {
            kind: {name: one + float(brands[self.brands[name]] + styles[self.styles[name]]) for name, one in of.items()}
            for kind, of in self.kinds.liked.items()
        }


@dataclass(frozen=True, slots=True)
class OrderForAll:
    """What a query finds, and the order for all."""

    first_stage: FirstStage
    names: list[str]


def measure_personal(seed: int, quick: bool, tell: Tell) -> tuple[list[Bar], dict[str, Any]]:
    """Return the gains in nDCG@10 by a personal order, each person's list judged by what that person likes."""
    random = np.random.default_rng(seed)
    tell("a shop of brands and styles")
    dressed = _dress(make_kinds(random, QUICK_KINDS if quick else KINDS, _CARE), random)
    world = World(hold(dressed.kinds.documents, random), dressed.kinds.names, attract(dressed.kinds.liked))
    ranker = learn_ranker(world, click_lists(world, _halves(world)[0], random), FIELDS, seed)
    answers = {query: _ask(ranker, query) for query in world.queries}
    found = {}
    for what, strength in (("differ", _TASTE), ("do not differ", 0.0)):
        tell(f"people whose tastes {what}")
        people = range(QUICK_PEOPLE if quick else PEOPLE)
        found[what] = np.mean([_compare(dressed, world, ranker, answers, strength, random) for _ in people], axis=0)
    gains = {what: float(after - before) for what, (before, after) in found.items()}
    bars = [
        at_least("search.personal", "nDCG@10 gained by a personal order where tastes differ", gains["differ"], GAIN),
        at_most("search.personal", "nDCG@10 moved where they do not", abs(gains["do not differ"]), STILL),
    ]
    told = {
        what: dict(zip(("one order for all", "personal"), both.round(4), strict=True)) for what, both in found.items()
    }
    return bars, told


def _halves(world: World) -> tuple[list[str], list[str]]:
    """Return the queries that people asked, and those that nobody did."""
    half = len(world.queries) // 2
    return world.queries[:half], world.queries[half:]


def _ask(ranker: Ranker, query: str) -> OrderForAll:
    first_stage = retrieve(ranker.corpus, read_plainly(query))
    return OrderForAll(first_stage, [hit.document_id for hit in ranker.rank(first_stage, SHOWN).hits])


def _dress(kinds: Kinds, random: np.random.Generator) -> Dressed:
    """Return the same products, each of a brand and with the words of a style in its text."""
    vocabularies = [[f"style{style}word{number}" for number in range(_WORDS_OF_STYLE)] for style in range(_STYLES)]
    brands, styles, documents = dict[str, int](), dict[str, int](), []
    for one in kinds.documents:
        brand, style = int(random.integers(_BRANDS)), int(random.integers(_STYLES))
        text = f"{one.text} {' '.join(random.choice(vocabularies[style], 4, replace=False))}"
        documents.append(replace(one, text=text, fields={**one.fields, "brand": f"brand {brand}"}))
        brands[one.id], styles[one.id] = brand, style
    return Dressed(replace(kinds, documents=documents), brands, styles)


def _compare(
    dressed: Dressed,
    world: World,
    ranker: Ranker,
    answers: Mapping[str, OrderForAll],
    strength: float,
    random: np.random.Generator,
) -> tuple[float, float]:
    """Return the mean nDCG@10 of somebody's lists in the order for all and in the person's own."""
    asked, new = _halves(world)
    likes = (strength * random.normal(size=_BRANDS) - _PICKY, strength * random.normal(size=_STYLES))
    pleases = attract(dressed.liked_by(likes))
    read = random.choice(asked, READ, replace=False).tolist()
    lists = [_choose(answers[query].names, pleases[query], random, age) for age, query in enumerate(read)]
    taste = read_taste([one for one in lists if one.chosen], world.corpus, _TERM, _NOW)
    before, after = [], []
    for query in random.choice(new, ASKED, replace=False).tolist():
        own = ranker.rank(replace(answers[query].first_stage, taste=taste), DEPTH).hits
        before.append(ndcg(answers[query].names, pleases[query]))
        after.append(ndcg([hit.document_id for hit in own], pleases[query]))
    return float(np.mean(before)), float(np.mean(after))


def _choose(names: list[str], pleases: Mapping[str, float], random: np.random.Generator, age: int) -> ChosenList:
    """Return what somebody chose from a list, some days ago."""
    likes = np.array([pleases.get(name, 0.0) for name in names])
    relevant, other = (np.array(curve[: len(names)]) for curve in (PRIOR_CURVE.relevant, PRIOR_CURVE.other))
    clicked = random.random(len(names)) < likes * relevant + (1 - likes) * other
    ranks = {name: rank for rank, name in enumerate(names, 1)}
    chosen = {name: 1.0 for name, hit in zip(names, clicked.tolist(), strict=True) if hit}
    return ChosenList(f"q{age}", _NOW - timedelta(days=age), ranks, chosen)
