"""The part `rules`: what an owner's rules cost a search, and that what they pin teaches nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from benchmarks.harness.report import Bar, at_most
from benchmarks.shop.products import DIMENSION, ByChance, draw_text, make_product, make_words
from collector.join.batch import fold_batch
from collector.join.evidence import evidence_digest
from foundation.clock import monotonic_s
from foundation.contracts import DEFAULT_COLLECTION, FeedbackEvent, Impression, ShownResult, query_key
from foundation.database.engine import make_engine, transaction
from foundation.database.schema import upgrade
from foundation.settings import Settings
from serving.index.corpus import Corpus
from serving.rules.placement import place
from serving.rules.rule_book import Situation
from serving.rules.settings import ItemKey, read_relevance
from serving.rules.shaping import shape

RULES = 1000
PRODUCTS, QUICK_PRODUCTS = 100_000, 5_000
SEARCHES, QUICK_SEARCHES = 2000, 500
LISTS, QUICK_LISTS = 2000, 400
BOUND_MS = 1.0
_CANDIDATES = 350
_AT_ONCE = 2000
_START = datetime(2026, 1, 5, tzinfo=UTC)
_CLICKS_ON_PINS = 0.5
_CLICKS = 0.2

Tell = Callable[[str], None]
Lists = list[tuple[Impression, list[FeedbackEvent]]]


def measure_rules(seed: int, quick: bool, tell: Tell) -> tuple[list[Bar], dict[str, Any]]:
    """Return the time that 1,000 rules take of a search, and whether evidence differs by what they pin."""
    random = np.random.default_rng(seed)
    took = _time_ms(random, quick, tell)
    tell("lists with pins and the same without")
    lists = _make_lists(random, QUICK_LISTS if quick else LISTS)
    digests = {_digest(lists), _digest((_without_pins(shown, events) for shown, events in lists))}
    timed = f"median of a search's time for {RULES} rules, their pins and boosts, ms"
    taught = f"digests of the evidence of {len(lists)} lists that differ by what rules pinned"
    bars = [
        at_most("search.rules", timed, float(np.median(took)), BOUND_MS),
        at_most("search.rules", taught, len(digests) - 1, 0),
    ]
    return bars, {"p99 ms": round(float(np.quantile(took, 0.99)), 3), "p90 ms": round(float(np.quantile(took, 0.9)), 3)}


def _time_ms(random: np.random.Generator, quick: bool, tell: Tell) -> list[float]:
    products, searches = (QUICK_PRODUCTS, QUICK_SEARCHES) if quick else (PRODUCTS, SEARCHES)
    tell(f"a shop of {products} products")
    corpus, words = Corpus(DIMENSION), make_words(random)
    for start in range(0, products, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, products))
        made = [make_product(f"p{number}", words, random) for number in numbers]
        corpus.apply([replace(one, change=number + 1) for number, one in zip(numbers, made, strict=True)], ByChance())
    relevance = read_relevance(1, _make_rules(words, products, random))
    tell(f"{searches} searches under {RULES} rules")
    took = []
    for _ in range(searches):
        rows = random.choice(products, _CANDIDATES, replace=False)
        listed = [corpus.name(int(row)) for row in rows]
        situation = Situation(query_key(draw_text(words, 3, random)), {"country": "at"}, "page", _START)
        began_s = monotonic_s()
        shaping = shape(relevance, situation, corpus)
        shaping.narrow(corpus, None)
        if shaping.moves:
            shaping.lift(corpus, rows)
        if shaping.pins:
            place(listed, shaping.pins, _CANDIDATES)
        took.append(1000 * (monotonic_s() - began_s))
    return took


def _make_rules(words: list[str], products: int, random: np.random.Generator) -> dict[ItemKey, dict[str, Any]]:
    """Return rules for queries that people ask, of words by Zipf's law, so that most searches meet some."""
    rules: dict[ItemKey, dict[str, Any]] = {}
    for number in range(RULES):
        phrase = draw_text(words, int(random.integers(1, 3)), random)
        when = {"queries": [phrase], "match": "is" if number % 2 else "contains"}
        wanted = [{"id": f"p{int(random.integers(products))}", "rank": int(random.integers(1, 6))} for _ in range(2)]
        brand = {"filter": {"brand": f"brand {int(random.integers(20))}"}, "by": 2.0}
        does = ({"pin": wanted}, {"boost": [brand]}, {"hide": [wanted[0]["id"]]}, {"bury": [brand]})[number % 4]
        rules["rule", f"r{number}"] = {"when": when, **does}
    return rules


def _make_lists(random: np.random.Generator, count: int) -> Lists:
    """Return what people see and do: lists with and without pins, which they like to click."""
    lists: Lists = []
    for number in range(count):
        names = [f"p{name}" for name in random.choice(50, 9, replace=False)]
        pinned = int(random.integers(1, 5)) if random.random() < 0.7 else 0
        if pinned:
            names.insert(pinned - 1, "pinned")
        unit, at = f"u{int(random.integers(count // 4))}", _START + timedelta(minutes=number)
        shown = Impression(
            *(DEFAULT_COLLECTION, f"q{number}", f"query {int(random.integers(20))}", unit, "v-1"),
            results=tuple(ShownResult(one, rank, 1 / rank, forced=rank == pinned) for rank, one in enumerate(names, 1)),
            at=at,
        )
        clicked = [
            one.id for one in shown.results if random.random() < (_CLICKS_ON_PINS if one.forced else _CLICKS / one.rank)
        ]
        events = [
            FeedbackEvent(DEFAULT_COLLECTION, f"e{number}-{name}", "click", shown.query_id, name, unit, 0.0, at, at)
            for name in clicked
        ]
        lists.append((shown, events))
    return lists


def _without_pins(shown: Impression, events: list[FeedbackEvent]) -> tuple[Impression, list[FeedbackEvent]]:
    """Return a list as it would be counted if nobody had seen what was pinned; all else stands where it stood."""
    kept = tuple(one for one in shown.results if not one.forced)
    names = {one.id for one in kept}
    return replace(shown, results=kept), [one for one in events if one.document_id in names]


def _digest(lists: Iterable[tuple[Impression, list[FeedbackEvent]]]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{Path(folder) / 'evidence.db'}")
        upgrade(engine)
        _fold(engine, [(shown, events) for shown, events in lists])
        digest = evidence_digest(engine, DEFAULT_COLLECTION)
        engine.dispose()
        return digest


def _fold(engine: sa.Engine, lists: Lists) -> None:
    settings = Settings(_env_file=None)
    for start in range(0, len(lists), 200):
        some = lists[start : start + 200]
        with transaction(engine) as connection:
            fold_batch(connection, [shown for shown, _ in some], settings)
        with transaction(engine) as connection:
            fold_batch(connection, [one for _, events in some for one in events], settings)
