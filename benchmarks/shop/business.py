"""The part `fields`: what a learned order gains by price, stock and age, where users care and where they do not.

A made-up shop: users look for kinds of products, and what they like of a kind depends on its price, its stock and its
age, or on nothing. They click down production's lists; one candidate learns from their clicks with the fields as
features, one without, and both rank queries that neither has seen. The true attraction of each product judges them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.shop.products import DIMENSION, make_words
from collector.api import label
from foundation.arrays import Doubles, Floats
from foundation.contracts import CURVE_RANKS, PRIOR_CURVE, Document, Evidence
from retrainer.learners.alternation import learn
from retrainer.learners.training_set import prepare_training_set
from serving.encode.projection import Codes
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.index.fields.normalised import name_columns, rank_evenly
from serving.ranking.memory import QueryMemory, Remembered
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker

KINDS, QUICK_KINDS = 240, 80
PER_KIND = 25
LISTS = 200
GAIN, STILL = 0.02, 0.002
FIELDS = {"price": 1, "stock": 2, "released": 1}
_SHOWN = 20
_CARE = 2.0
_COMMON = 2000
"""Words of which kinds are named; texts have all of them."""
_DEPTH = 10


Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ByWords:
    """Vectors of texts: the sum of those of their words, each drawn by chance."""

    def embed(self, texts: list[str]) -> Floats:
        """Return unit vectors."""
        sums = np.stack([sum((_vector(word) for word in set(text.split())), np.zeros(DIMENSION)) for text in texts])
        unit: Floats = (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)).astype(np.float32)
        return unit

    def embed_tokens(self, _: list[str]) -> list[Codes] | None:
        """Return none."""
        return None


@dataclass(frozen=True, slots=True)
class World:
    """A shop and what its users want.

    Attributes:
        attraction: By query, how likely each product is to please who asks it; others never do.
    """

    corpus: Corpus
    queries: list[str]
    attraction: dict[str, dict[str, float]]


def measure_fields(seed: int, quick: bool, tell: Tell) -> tuple[list[Bar], dict[str, Any]]:
    """Return the gains in nDCG@10 on queries that nobody asked before, by learning from fields too."""
    gains, told = {}, {}
    for what, care in (("care", _CARE), ("do not care", 0.0)):
        tell(f"a shop whose users {what}")
        world = _make_world(np.random.default_rng(seed), QUICK_KINDS if quick else KINDS, care)
        half = len(world.queries) // 2
        evidence = _click(world, world.queries[:half], np.random.default_rng(seed + 1))
        asked = world.queries[half:]
        scores = {name: _judge(world, _learn(world, evidence, fields, seed), asked) for name, fields in _SETS.items()}
        gains[what] = scores["with fields"] - scores["text alone"]
        told[what] = {name: round(score, 4) for name, score in scores.items()}
    return [
        at_least("search.fields", "nDCG@10 gained by price, stock and age where users care", gains["care"], GAIN),
        at_most("search.fields", "nDCG@10 moved where they do not care", abs(gains["do not care"]), STILL),
    ], told


_SETS: dict[str, dict[str, int]] = {"text alone": {}, "with fields": FIELDS}


def _vector(word: str) -> Doubles:
    drawn: Doubles = np.random.default_rng(zlib.crc32(word.encode())).normal(size=DIMENSION)
    return drawn


def _make_world(random: np.random.Generator, kinds: int, care: float) -> World:
    """Return a shop of so many kinds of products; each has a name of two words, which people ask for."""
    words = make_words(random)
    names = [_pick(words[:_COMMON], 2, random) for _ in range(kinds)]
    documents: list[Document] = []
    pleasing: dict[str, dict[str, float]] = {}
    for kind, name in enumerate(names):
        price, stock = random.gamma(2.0, 20.0, PER_KIND), random.random(PER_KIND) < 0.7
        day = random.integers(0, 3000, PER_KIND)
        liked = care * (-rank_evenly(price) + stock - 0.5 + rank_evenly(day.astype(np.float64)))
        chance = 1 / (1 + np.exp(-(liked - 0.5)))
        for number in range(PER_KIND):
            fields: dict[str, Any] = {"price": round(float(price[number]), 2), "stock": bool(stock[number])}
            fields["released"] = str(np.datetime64("2015-01-01") + int(day[number]))
            kept = {key: value for key, value in fields.items() if random.random() < 0.95}
            about = _pick(words, 12, random)
            id_ = f"p{kind}-{number}"
            pleasing.setdefault(name, {})[id_] = float(chance[number])
            documents.append(Document(id_, f"{name} {_pick(words, 1, random)}", about, fields=kept))
    shuffled = [documents[place] for place in random.permutation(len(documents)).tolist()]
    corpus = Corpus(DIMENSION)
    corpus.apply([replace(one, change=number) for number, one in enumerate(shuffled, 1)], ByWords())
    return World(corpus, names, pleasing)


def _pick(words: list[str], count: int, random: np.random.Generator) -> str:
    return " ".join(words[place] for place in random.choice(len(words), count, replace=False).tolist())


def _click(world: World, queries: list[str], random: np.random.Generator) -> list[Evidence]:
    """Return what people leave who read production's lists from the top, each from a place of its own taste."""
    ranker = Ranker(world.corpus, RankingModel(QueryMemory([], DIMENSION)))
    relevant, other = (np.array(curve[:_SHOWN]) for curve in (PRIOR_CURVE.relevant, PRIOR_CURVE.other))
    rows = []
    for query in queries:
        hits = ranker.search(_read(query), _SHOWN).hits
        pleases = np.array([world.attraction[query].get(hit.document_id, 0.0) for hit in hits])
        chance = pleases * relevant[: len(hits)] + (1 - pleases) * other[: len(hits)]
        clicks = random.binomial(LISTS, chance)
        for place, (hit, count) in enumerate(zip(hits, clicks.tolist(), strict=True)):
            shown, clicked = [0.0] * CURVE_RANKS, [0.0] * CURVE_RANKS
            shown[place], clicked[place] = float(LISTS), float(count)
            rows.append(Evidence(query, hit.document_id, tuple(shown), tuple(clicked), users=count))
    return rows


def _learn(world: World, evidence: list[Evidence], wanted: dict[str, int], seed: int) -> Ranker:
    corpus = world.corpus
    fields = name_columns(corpus.fields, wanted, np.flatnonzero(corpus.present()))
    found = learn(prepare_training_set(evidence, ByWords().embed, fields), corpus, label, seed)
    past = [Remembered(key, _read(key).vector, chosen) for key, chosen in found.choices.items()]
    return Ranker(
        corpus,
        RankingModel(
            QueryMemory(past, DIMENSION),
            found.adaptation.adapter,
            found.adaptation.residuals(found.documents),
            fusion="linear",
            weights=found.weights,
            fields=fields,
        ),
    )


def _judge(world: World, ranker: Ranker, queries: list[str]) -> float:
    """Return the mean nDCG@10 by how likely each product is to please."""
    scores = []
    for query in queries:
        pleases = world.attraction[query]
        got = [pleases.get(hit.document_id, 0.0) for hit in ranker.search(_read(query), _DEPTH).hits]
        scores.append(_dcg(got) / _dcg(sorted(pleases.values(), reverse=True)[:_DEPTH]))
    return float(np.mean(scores))


def _dcg(gains: list[float]) -> float:
    return float(sum(gain / np.log2(rank + 1) for rank, gain in enumerate(gains, 1)))


def _read(query: str) -> Query:
    return Query(query, query, ByWords().embed([query])[0])
