"""What a search of the shop should answer, read from every product by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.shop.stock import Product, Shop
from serving.records import SearchRequest

LEAST = 0.3
LISTED = 20
"""Values of a facet."""
_DOCUMENTS_ASKED = 5
"""Documents that hold a word of a query at least: a rarer one may be a slip, and be taken for another."""
_ORDERS: tuple[Any, ...] = ("price", "-price", ["brand", "-price"], "-released")


@dataclass(frozen=True, slots=True)
class Question:
    """A search and what it means by hand."""

    text: str
    stems: frozenset[str]
    brand: str
    low: float
    sort: Any

    def request(self, **more: Any) -> SearchRequest:
        """Return the search, with four facets."""
        facets = [{"field": "brand", "multi": True}, "tags", "price", "released"]
        return SearchRequest(self.text, filters=self.filters(), facets=facets, **more)

    def filters(self) -> dict[str, Any]:
        """Return its filters."""
        return ({"brand": self.brand} if self.brand else {}) | {"price": {"gte": self.low}}

    def fits(self, product: Product, *, but_brand: bool = False) -> bool:
        """Return whether a product passes the filter."""
        fits = but_brand or not self.brand or product.has("brand", self.brand)
        return fits and bool(product.document.fields.get("price", -1.0) >= self.low)


def ask(shop: Shop, random: np.random.Generator) -> Question:
    """Return one to four words of a product and a filter."""
    names = list(shop.products)
    lexical = shop.corpus.lexical
    while True:
        product = shop.products[names[int(random.integers(len(names)))]].document
        drawn = random.choice(product.title.split(), int(random.integers(1, 5)))
        stems = frozenset(lexical.stems(drawn.tolist()))
        if all(len(lexical.search(word, _DOCUMENTS_ASKED)) >= _DOCUMENTS_ASKED for word in drawn.tolist()):
            brand = str(product.fields.get("brand", "")) if random.random() < 0.3 else ""
            low = float(random.choice([0.0, 10.0, 40.0]))
            return Question(" ".join(drawn), stems, brand, low, _ORDERS[int(random.integers(len(_ORDERS)))])


def hold_enough(shop: Shop, held: Sequence[Product], question: Question) -> list[Product]:
    """Return the products that hold enough of the words, rare ones counting more."""
    fits = [product for product in shop.products.values() if question.fits(product)]
    worth = {stem: np.log1p(len(fits) / max(1, sum(stem in one.stems for one in held))) for stem in question.stems}
    scores = [sum(worth[stem] for stem in sorted(question.stems) if stem in one.stems) for one in held]
    least = LEAST * max(scores, default=0.0)
    return [product for product, score in zip(held, scores, strict=True) if score >= least - 1e-9]


def tally(products: Sequence[Product], name: str) -> list[tuple[str, int]]:
    """Return how many products have each value of a field, the most frequent first."""
    values = (product.document.fields.get(name, []) for product in products)
    counts = Counter(value for held in values for value in (held if isinstance(held, list) else [held]))
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:LISTED]


def span(products: Sequence[Product], name: str) -> tuple[Any, Any]:
    """Return the lowest and the highest value of a field."""
    values = [product.document.fields[name] for product in products if name in product.document.fields]
    return (min(values), max(values)) if values else (None, None)


def _keys_of(fields: dict[str, Any], sort: Any) -> list[tuple[bool, Any]]:
    """Return what a product is sorted by, one without a value last."""
    keys: list[tuple[bool, Any]] = []
    for name in [sort] if isinstance(sort, str) else sort:
        value = fields.get(name.removeprefix("-"))
        if isinstance(value, str) and name.startswith("-"):  # a date
            value = -int(value.replace("-", ""))
        elif value is not None and name.startswith("-"):
            value = -value
        keys.append((value is None, 0 if value is None else value))
    return keys


def sorted_by(shop: Shop, rows: Sequence[int], sort: Any) -> list[Any]:
    """Return what the products of some rows are sorted by."""
    return [_keys_of(shop.corpus.document(row).fields, sort) for row in rows]


def best(products: Sequence[Product], sort: Any) -> list[Any]:
    """Return what the first hundred are sorted by."""
    return sorted(_keys_of(product.document.fields, sort) for product in products)[:100]
