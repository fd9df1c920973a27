"""What settings make of a search."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from foundation.contracts import query_key
from serving.index.corpus import Corpus
from serving.rules.rule_book import Situation
from serving.rules.settings import NO_RELEVANCE, Items, read_relevance
from serving.rules.shaping import NO_SHAPING, Shaping, shape
from tests.catalogs import make_corpus

NOW = datetime(2026, 11, 30, tzinfo=UTC)
DOCUMENTS = [{"id": name, "title": f"toner {name}", "brand": brand} for name, brand in zip("abcd", "xxyy", strict=True)]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus(DOCUMENTS)


def shaped(corpus: Corpus, items: Items, query: str = "toner") -> Shaping:
    return shape(read_relevance(3, items), Situation(query_key(query), {}, "page", NOW), corpus)


def rules(**given: dict[str, Any]) -> Items:
    return {("rule", name): one for name, one in given.items()}


def listed(corpus: Corpus, shaping: Shaping, allowed: Any = None) -> str:
    mask = shaping.narrow(corpus, allowed)
    return "abcd" if mask is None else "".join(corpus.name(int(row)) for row in np.flatnonzero(mask))


def test_settings_that_say_nothing_make_nothing(corpus: Corpus) -> None:
    assert shape(NO_RELEVANCE, Situation("toner", {}, "page", NOW), corpus) is NO_SHAPING


def test_what_is_hidden_or_not_let_through_is_not_listed(corpus: Corpus) -> None:
    shaping = shaped(corpus, rules(one={"hide": ["a"]}, two={"filter": {"brand": "x"}}))
    assert listed(corpus, shaping) == "b"
    assert listed(corpus, shaping, np.array([True, False, True, True])) == ""


def test_boosts_and_terms_add_up(corpus: Corpus) -> None:
    items = rules(
        up={"boost": [{"filter": {"brand": "x"}, "by": 3}]}, down={"bury": [{"filter": {"id": ["a", "c"]}, "by": 1}]}
    )
    items = {**items, ("term", "t"): {"kind": "boost", "filter": {"id": "d"}, "by": 0.5}}
    assert shaped(corpus, items).lift(corpus, np.arange(4)).tolist() == [2, 3, -1, 0.5]


def test_the_more_important_rule_pins_and_leads_and_all_banners_are_told(corpus: Corpus) -> None:
    shaping = shaped(
        corpus,
        rules(
            first={"priority": 2, "pin": [{"id": "d", "rank": 2}], "redirect": "/sale", "banner": {"text": "Sale"}},
            later={"pin": [{"id": "d", "rank": 1}, {"id": "c"}], "redirect": "/other", "banner": {"text": "More"}},
        ),
    )
    assert [(pin.rule, pin.id, pin.rank) for pin in shaping.pins] == [("first", "d", 2), ("later", "c", 1)]
    assert shaping.redirect == "/sale"
    assert [banner["text"] for banner in shaping.banners] == ["Sale", "More"]
    assert [(one.name, one.effects) for one in shaping.applied] == [
        ("first", ("pin", "redirect", "banner")),
        ("later", ("pin", "redirect", "banner")),
    ]


def test_what_does_not_fit_the_fields_any_more_has_no_effect_and_says_so(corpus: Corpus) -> None:
    items = {
        **rules(one={"filter": {"size": 3}, "hide": ["a"]}),
        ("term", "t"): {"kind": "boost", "filter": {"size": 3}},
    }
    shaping = shaped(corpus, items)
    assert listed(corpus, shaping) == "bcd"
    assert shaping.lift(corpus, np.arange(4)).tolist() == [0, 0, 0, 0]
    assert ["size" in one.problem for one in shaping.applied] == [True, True]


def test_rules_of_other_searches_say_nothing(corpus: Corpus) -> None:
    shaping = shaped(corpus, rules(one={"when": {"queries": ["ink"]}, "hide": ["a"]}))
    assert (shaping.applied, listed(corpus, shaping)) == ((), "abcd")
