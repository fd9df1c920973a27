"""A made-up shop of kinds of products: people look for a kind, and what they like of it depends on its fields or not.

They click down production's lists. The true attraction of each product judges a ranking.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

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

PER_KIND = 25
LISTS = 200
SHOWN = 20
DEPTH = 10
_COMMON = 2000
"""Words of which kinds are named; texts have all of them."""


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
class Kinds:
    """Products by kind.

    Attributes:
        names: Of the kinds, which people ask for.
        liked: By kind, how much each product is liked in log-odds; others never please who asks for it.
    """

    names: list[str]
    documents: list[Document]
    liked: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class World:
    """A shop and what its users want.

    Attributes:
        attraction: By query, how likely each product is to please who asks it; others never do.
    """

    corpus: Corpus
    queries: list[str]
    attraction: dict[str, dict[str, float]]


def _vector(word: str) -> Doubles:
    drawn: Doubles = np.random.default_rng(zlib.crc32(word.encode())).normal(size=DIMENSION)
    return drawn


def make_kinds(random: np.random.Generator, kinds: int, care: float) -> Kinds:
    """Return so many kinds of products, each with a name of two words.

    Args:
        care: How much of what is liked depends on price, stock and age.
    """
    words = make_words(random)
    names = [_pick(words[:_COMMON], 2, random) for _ in range(kinds)]
    documents: list[Document] = []
    pleasing: dict[str, dict[str, float]] = {}
    for kind, name in enumerate(names):
        price, stock = random.gamma(2.0, 20.0, PER_KIND), random.random(PER_KIND) < 0.7
        day = random.integers(0, 3000, PER_KIND)
        liked = care * (-rank_evenly(price) + stock - 0.5 + rank_evenly(day.astype(np.float64))) - 0.5
        for number in range(PER_KIND):
            fields: dict[str, Any] = {"price": round(float(price[number]), 2), "stock": bool(stock[number])}
            fields["released"] = str(np.datetime64("2015-01-01") + int(day[number]))
            kept = {key: value for key, value in fields.items() if random.random() < 0.95}
            about = _pick(words, 12, random)
            id_ = f"p{kind}-{number}"
            pleasing.setdefault(name, {})[id_] = float(liked[number])
            documents.append(Document(id_, f"{name} {_pick(words, 1, random)}", about, fields=kept))
    return Kinds(names, documents, pleasing)


def hold(documents: Sequence[Document], random: np.random.Generator) -> Corpus:
    """Return a corpus of documents in an order by chance."""
    shuffled = [documents[place] for place in random.permutation(len(documents)).tolist()]
    corpus = Corpus(DIMENSION)
    corpus.apply([replace(one, change=number) for number, one in enumerate(shuffled, 1)], ByWords())
    return corpus


def attract(liked: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return by query how likely each product is to please."""
    return {query: {name: 1 / (1 + np.exp(-one)) for name, one in of.items()} for query, of in liked.items()}


def _pick(words: list[str], count: int, random: np.random.Generator) -> str:
    return " ".join(words[place] for place in random.choice(len(words), count, replace=False).tolist())


def click_lists(world: World, queries: list[str], random: np.random.Generator) -> list[Evidence]:
    """Return what people leave who read production's lists from the top, each from a place of its own taste."""
    ranker = Ranker(world.corpus, RankingModel(QueryMemory([], DIMENSION)))
    relevant, other = (np.array(curve[:SHOWN]) for curve in (PRIOR_CURVE.relevant, PRIOR_CURVE.other))
    rows = []
    for query in queries:
        hits = ranker.search(read_plainly(query), SHOWN).hits
        pleases = np.array([world.attraction[query].get(hit.document_id, 0.0) for hit in hits])
        chance = pleases * relevant[: len(hits)] + (1 - pleases) * other[: len(hits)]
        clicks = random.binomial(LISTS, chance)
        for place, (hit, count) in enumerate(zip(hits, clicks.tolist(), strict=True)):
            shown, clicked = [0.0] * CURVE_RANKS, [0.0] * CURVE_RANKS
            shown[place], clicked[place] = float(LISTS), float(count)
            rows.append(Evidence(query, hit.document_id, tuple(shown), tuple(clicked), users=count))
    return rows


def learn_ranker(world: World, evidence: list[Evidence], wanted: Mapping[str, int], seed: int) -> Ranker:
    """Return what ranks after learning from evidence, with some fields as features."""
    corpus = world.corpus
    fields = name_columns(corpus.fields, wanted, np.flatnonzero(corpus.present()))
    found = learn(prepare_training_set(evidence, ByWords().embed, fields), corpus, label, seed)
    past = [Remembered(key, read_plainly(key).vector, chosen) for key, chosen in found.choices.items()]
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


def judge(world: World, ranker: Ranker, queries: Sequence[str]) -> float:
    """Return the mean nDCG@10 by how likely each product is to please."""
    lists = ([hit.document_id for hit in ranker.search(read_plainly(query), DEPTH).hits] for query in queries)
    scores = [ndcg(names, world.attraction[query]) for query, names in zip(queries, lists, strict=True)]
    return float(np.mean(scores))


def ndcg(names: Sequence[str], pleases: Mapping[str, float]) -> float:
    """Return the nDCG@10 of a list by how likely each of its products is to please."""
    got = [pleases.get(name, 0.0) for name in names[:DEPTH]]
    return _dcg(got) / _dcg(sorted(pleases.values(), reverse=True)[:DEPTH])


def _dcg(gains: list[float]) -> float:
    return float(sum(gain / np.log2(rank + 1) for rank, gain in enumerate(gains, 1)))


def read_plainly(query: str) -> Query:
    """Return a query as the shop's encoder reads it."""
    return Query(query, query, ByWords().embed([query])[0])
