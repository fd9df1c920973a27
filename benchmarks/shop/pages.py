"""The part `pages`: totals, facets, orders and pages of a shop of 100,000 products against counting by hand.

Each product has a title and a text of words whose frequencies fall as those of a language do, and a brand, tags, a
price and a date. The hand reads words and fields of every product; the time is that of a search from its text to its
rows, without HTTP and without the encoder, whose vectors are drawn by chance here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.harness.report import Bar, at_most
from benchmarks.shop.products import DIMENSION, ByChance, draw_text, make_product, make_words
from foundation.contracts import Document
from serving.encode.query import Query
from serving.index.corpus import Corpus
from serving.paging.cursor import Cursor, digest_of, read_cursor
from serving.paging.lists import ListAnswer, ListRequest, match, read_list
from serving.present.facets import Facet, count_facets
from serving.query.scope import SearchScope, read_scope
from serving.ranking.memory import QueryMemory
from serving.ranking.model import RankingModel
from serving.ranking.pipeline import Ranker
from serving.ranking.retrieval import FirstStage, retrieve
from serving.ranking.stage_timer import StageTimer
from serving.records import SearchRequest

PRODUCTS, QUICK_PRODUCTS = 100_000, 5000
QUERIES, QUICK_QUERIES = 200, 40
BOUND_MS = 60.0
LEAST = 0.3
_DOCUMENTS_ASKED = 5
"""Documents that hold a word of a query at least: a rarer one may be a slip, and be taken for another."""
_LIMIT = 20
_LISTS = 10
_LONGEST = 3000
"""Documents in a list that is read to its end."""
_CHANGED = 5
_AT_ONCE = 2000
_ORDERS: tuple[Any, ...] = ("price", "-price", ["brand", "-price"], "-released")

Tell = Callable[[str], None]


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


def measure_pages(seed: int, quick: bool, tell: Tell) -> tuple[list[Bar], dict[str, Any]]:
    """Return what differs from a count by hand, and how long counting takes."""
    random = np.random.default_rng(seed)
    count, asked = (QUICK_PRODUCTS, QUICK_QUERIES) if quick else (PRODUCTS, QUERIES)
    tell(f"a shop of {count} products")
    shop = Shop(Corpus(DIMENSION))
    words = make_words(random)
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        shop.take([make_product(f"p{number}", words, random) for number in numbers])
    shop.corpus.lexical.compact()
    ranker = Ranker(shop.corpus, RankingModel(QueryMemory([], DIMENSION)))
    tell(f"{asked} queries")
    questions = [_ask(shop, random) for _ in range(asked)]
    times: dict[str, list[float]] = {"relevance": [], "sorted": [], "sorted, all": [], "browsed": []}
    wrong = Counter[str]()
    for question in questions:
        _examine(shop, ranker, question, times, wrong)
    tell("pages while products change")
    few = [one for one in questions if len(shop.holding(one.stems)) <= _LONGEST]
    for question in few[:_LISTS]:
        wrong["pages"] += _read_to_end(shop, ranker, question, words, random)
    bars = [
        at_most(
            "search.pages", f"totals of {asked} queries and filters that a count by hand denies", wrong["total"], 0
        ),
        at_most("search.pages", "facets and ranges that it denies", wrong["facets"], 0),
        at_most("search.pages", "sorted lists that it denies", wrong["sort"], 0),
        at_most(
            "search.pages",
            f"documents missing or twice in {_LISTS} lists that are read by cursors while products change",
            wrong["pages"],
            0,
        ),
    ]
    bars += [
        at_most(
            "search.pages",
            f"99th percentile of a page with total and four facets of {count} products, {name}, ms",
            round(1000 * float(np.quantile(took, 0.99)), 1),
            BOUND_MS,
        )
        for name, took in times.items()
    ]
    medians = {name: round(1000 * float(np.median(took)), 1) for name, took in times.items()}
    return bars, {"median ms": medians, "products": count}


def _at(document: Document, change: int) -> Document:
    return Document(document.id, document.title, document.text, fields=document.fields, change=change)


@dataclass(frozen=True, slots=True)
class _Question:
    """A search and what it means by hand."""

    text: str
    stems: frozenset[str]
    brand: str
    low: float
    sort: Any

    def request(self, **more: Any) -> SearchRequest:
        facets = [{"field": "brand", "multi": True}, "tags", "price", "released"]
        return SearchRequest(self.text, filters=self.filters(), facets=facets, **more)

    def filters(self) -> dict[str, Any]:
        return ({"brand": self.brand} if self.brand else {}) | {"price": {"gte": self.low}}

    def fits(self, product: Product, *, but_brand: bool = False) -> bool:
        """Return whether a product passes the filter."""
        fits = but_brand or not self.brand or product.has("brand", self.brand)
        return fits and bool(product.document.fields.get("price", -1.0) >= self.low)


def _ask(shop: Shop, random: np.random.Generator) -> _Question:
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
            return _Question(" ".join(drawn), stems, brand, low, _ORDERS[int(random.integers(len(_ORDERS)))])


def _read(shop: Shop, request: SearchRequest) -> tuple[SearchScope, FirstStage]:
    scope = read_scope(shop.corpus, request)
    vector = ByChance().embed([request.query])[0] if scope.asked.text else np.zeros(DIMENSION, np.float32)
    query = Query(scope.asked.text, request.query, vector)
    return scope, retrieve(shop.corpus, query, scope.allowed(shop.corpus))


def _search(
    shop: Shop, ranker: Ranker, request: SearchRequest, cursor: Cursor | None = None
) -> tuple[list[int], int, dict[str, Facet], ListAnswer | None, float]:
    """Return rows, total and facets of one page, and seconds."""
    began = perf_counter()
    scope, first_stage = _read(shop, request)
    answer = None
    if scope.sort or scope.browses or cursor:
        wanted = ListRequest(request.offset, request.limit, scope.sort, request.min_relevance, cursor)
        answer = read_list(ranker, first_stage, wanted, StageTimer())
        rows, total, matched = [hit.row for hit in answer.ranking.hits], answer.total, answer.matched
    else:
        ranking = ranker.rank(first_stage, request.limit)
        rows, total = [hit.row for hit in ranking.hits], first_stage.matches
        matched = match(shop.corpus, first_stage, candidates=ranking.candidates)

    def counted(name: str) -> Any:
        return matched.among(scope.allowed_beside(shop.corpus, name) if name else scope.allowed(shop.corpus))

    facets = count_facets(shop.corpus, scope.facets, counted)
    return rows, total, facets, answer, perf_counter() - began


def _examine(
    shop: Shop, ranker: Ranker, question: _Question, times: dict[str, list[float]], wrong: Counter[str]
) -> None:
    """Compare the answers to one question with a count by hand."""
    found = shop.holding(question.stems)
    held = [product for product in found if question.fits(product)]
    _, total, facets, _, took = _search(shop, ranker, question.request(limit=_LIMIT))
    times["relevance"].append(took)
    wrong["total"] += total != len(held)
    for_brand = [product for product in found if question.fits(product, but_brand=True)]
    if not held:  # what is near in meaning is listed then, and counted in its place
        return
    wrong["facets"] += _tally(for_brand, "brand") != list(facets["brand"].values)
    wrong["facets"] += _tally(held, "tags") != list(facets["tags"].values)
    wrong["facets"] += _span(held, "price") != (facets["price"].low, facets["price"].high)
    wrong["facets"] += _span(held, "released") != (facets["released"].low, facets["released"].high)

    request = question.request(limit=100, sort=question.sort)
    rows, total, _, _, took = _search(shop, ranker, request)
    times["sorted, all"].append(took)
    wrong["sort"] += (_sorted_by(shop, rows, question.sort), total) != (_best(held, question.sort), len(held))
    rows, total, _, _, took = _search(shop, ranker, replace(request, min_relevance=LEAST))
    times["sorted"].append(took)
    relevant = _hold_enough(shop, held, question)
    wrong["sort"] += (_sorted_by(shop, rows, question.sort), total) != (_best(relevant, question.sort), len(relevant))

    browse = SearchRequest("*", filters=question.filters(), facets=["brand", "tags", "price", "released"], limit=_LIMIT)
    rows, total, _, _, took = _search(shop, ranker, browse)
    times["browsed"].append(took)
    wrong["total"] += total != sum(map(question.fits, shop.products.values()))


def _hold_enough(shop: Shop, held: Sequence[Product], question: _Question) -> list[Product]:
    """Return the products that hold enough of the words, rare ones counting more."""
    fits = [product for product in shop.products.values() if question.fits(product)]
    worth = {stem: np.log1p(len(fits) / max(1, sum(stem in one.stems for one in held))) for stem in question.stems}
    scores = [sum(worth[stem] for stem in sorted(question.stems) if stem in one.stems) for one in held]
    least = LEAST * max(scores, default=0.0)
    return [product for product, score in zip(held, scores, strict=True) if score >= least - 1e-9]


def _tally(products: Sequence[Product], name: str) -> list[tuple[str, int]]:
    values = (product.document.fields.get(name, []) for product in products)
    counts = Counter(value for held in values for value in (held if isinstance(held, list) else [held]))
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_LIMIT]


def _span(products: Sequence[Product], name: str) -> tuple[Any, Any]:
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


def _sorted_by(shop: Shop, rows: Sequence[int], sort: Any) -> list[Any]:
    return [_keys_of(shop.corpus.document(row).fields, sort) for row in rows]


def _best(products: Sequence[Product], sort: Any) -> list[Any]:
    return sorted(_keys_of(product.document.fields, sort) for product in products)[:100]


def _read_to_end(shop: Shop, ranker: Ranker, question: _Question, words: list[str], random: np.random.Generator) -> int:
    """Read a list page by page while products change; return how many are missing or come twice.

    A changed product has more words than before, so that what matched still does.
    """
    sort = question.sort if random.random() < 0.5 else None
    wanted = {product.document.id for product in shop.holding(question.stems) if question.fits(product)}
    digest = digest_of(question.text)
    cursor: Cursor | None = Cursor(digest)
    seen: Counter[str] = Counter()
    while cursor is not None:
        request = SearchRequest(question.text, filters=question.filters(), sort=sort, limit=100)
        rows, _, _, answer, _ = _search(shop, ranker, request, cursor)
        seen.update(shop.corpus.name(row) for row in rows)
        names = random.choice(list(shop.products), _CHANGED).tolist()
        shop.take([_reword(shop.products[name].document, words, random) for name in dict.fromkeys(names)])
        cursor = read_cursor(answer.after.write(), digest) if answer and answer.after else None
    missing = len(wanted - seen.keys())
    return missing + sum(times - 1 for times in seen.values())


def _reword(document: Document, words: list[str], random: np.random.Generator) -> Document:
    """Return a product with more in its text; what it is sorted by stays."""
    more = f"{document.text} {draw_text(words, 3, random)}"
    return Document(document.id, document.title, more, fields=document.fields)
