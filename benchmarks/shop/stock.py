"""The products of a shop and the corpus that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.shop.products import DIMENSION, ByChance, make_product
from foundation.contracts import Document
from serving.index.corpus import Corpus

_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Product:
    """One product, and the stems of its words."""

    document: Document
    stems: frozenset[str]

    def has(self, name: str, value: Any) -> bool:
        """Return whether it has a value in a field."""
        held = self.document.fields.get(name)
        return value in held if isinstance(held, list) else held == value


@dataclass(slots=True)
class Shop:
    """Products and the corpus that holds them."""

    corpus: Corpus
    products: dict[str, Product] = field(default_factory=dict)
    by_stem: dict[str, set[str]] = field(default_factory=dict)

    def holding(self, stems: Iterable[str]) -> list[Product]:
        """Return the products that hold any of some stems."""
        names = set[str]().union(*(self.by_stem.get(stem, set()) for stem in stems))
        return [self.products[name] for name in names]

    def take(self, documents: Sequence[Document]) -> None:
        """Add documents or change them."""
        start = self.corpus.change
        changed = [_at(document, start + number) for number, document in enumerate(documents, start=1)]
        self.corpus.apply(changed, ByChance())
        for document in changed:
            words = f"{document.title} {document.text}".split()
            self.products[document.id] = Product(document, frozenset(self.corpus.lexical.stems(words)))
            for stem in self.products[document.id].stems:
                self.by_stem.setdefault(stem, set()).add(document.id)


def make_shop(count: int, words: list[str], random: np.random.Generator) -> Shop:
    """Return a shop of `count` products."""
    shop = Shop(Corpus(DIMENSION))
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        shop.take([make_product(f"p{number}", words, random) for number in numbers])
    shop.corpus.lexical.compact()
    return shop


def _at(document: Document, change: int) -> Document:
    return Document(document.id, document.title, document.text, fields=document.fields, change=change)
