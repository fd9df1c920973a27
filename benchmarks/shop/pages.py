"""The part `pages`: totals, facets, orders and pages of a shop of 100,000 products against counting by hand.

The hand reads words and fields of every product; the time is that of a search from its text to its rows, without HTTP
and without the encoder, whose vectors are drawn by chance here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.harness.report import Bar, at_most
from benchmarks.shop.by_hand import LEAST, LISTED, Question, ask, best, hold_enough, sorted_by, span, tally
from benchmarks.shop.products import DIMENSION, ByChance, make_words, reword
from benchmarks.shop.stock import Shop, make_shop
from serving.encode.query import Query
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
_LISTS = 10
_LONGEST = 3000
"""Documents in a list that is read to its end."""
_CHANGED = 5

Tell = Callable[[str], None]


def measure_pages(seed: int, quick: bool, tell: Tell) -> tuple[list[Bar], dict[str, Any]]:
    """Return what differs from a count by hand, and how long counting takes."""
    random = np.random.default_rng(seed)
    count, asked = (QUICK_PRODUCTS, QUICK_QUERIES) if quick else (PRODUCTS, QUERIES)
    tell(f"a shop of {count} products")
    words = make_words(random)
    shop = make_shop(count, words, random)
    ranker = Ranker(shop.corpus, RankingModel(QueryMemory([], DIMENSION)))
    tell(f"{asked} queries")
    questions = [ask(shop, random) for _ in range(asked)]
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


def _examine(
    shop: Shop, ranker: Ranker, question: Question, times: dict[str, list[float]], wrong: Counter[str]
) -> None:
    """Compare the answers to one question with a count by hand."""
    found = shop.holding(question.stems)
    held = [product for product in found if question.fits(product)]
    _, total, facets, _, took = _search(shop, ranker, question.request(limit=LISTED))
    times["relevance"].append(took)
    wrong["total"] += total != len(held)
    for_brand = [product for product in found if question.fits(product, but_brand=True)]
    if not held:  # what is near in meaning is listed then, and counted in its place
        return
    wrong["facets"] += tally(for_brand, "brand") != list(facets["brand"].values)
    wrong["facets"] += tally(held, "tags") != list(facets["tags"].values)
    wrong["facets"] += span(held, "price") != (facets["price"].low, facets["price"].high)
    wrong["facets"] += span(held, "released") != (facets["released"].low, facets["released"].high)

    request = question.request(limit=100, sort=question.sort)
    rows, total, _, _, took = _search(shop, ranker, request)
    times["sorted, all"].append(took)
    wrong["sort"] += (sorted_by(shop, rows, question.sort), total) != (best(held, question.sort), len(held))
    rows, total, _, _, took = _search(shop, ranker, replace(request, min_relevance=LEAST))
    times["sorted"].append(took)
    relevant = hold_enough(shop, held, question)
    wrong["sort"] += (sorted_by(shop, rows, question.sort), total) != (best(relevant, question.sort), len(relevant))

    browse = SearchRequest("*", filters=question.filters(), facets=["brand", "tags", "price", "released"], limit=LISTED)
    rows, total, _, _, took = _search(shop, ranker, browse)
    times["browsed"].append(took)
    wrong["total"] += total != sum(map(question.fits, shop.products.values()))


def _read_to_end(shop: Shop, ranker: Ranker, question: Question, words: list[str], random: np.random.Generator) -> int:
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
        shop.take([reword(shop.products[name].document, words, random) for name in dict.fromkeys(names)])
        cursor = read_cursor(answer.after.write(), digest) if answer and answer.after else None
    missing = len(wanted - seen.keys())
    return missing + sum(times - 1 for times in seen.values())


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


def _read(shop: Shop, request: SearchRequest) -> tuple[SearchScope, FirstStage]:
    scope = read_scope(shop.corpus, request)
    vector = ByChance().embed([request.query])[0] if scope.asked.text else np.zeros(DIMENSION, np.float32)
    query = Query(scope.asked.text, request.query, vector)
    return scope, retrieve(shop.corpus, query, scope.allowed(shop.corpus))
