"""Documents are proposed before anybody has asked."""

from __future__ import annotations

from typing import Any

from serving.index.corpus import Corpus
from serving.present.phrases import read_phrases
from serving.present.suggestions import SuggestedQuery, Suggestions
from tests.catalogs import add, make_corpus

DOCUMENTS: list[dict[str, Any]] = [
    {"id": "1", "title": "Laser  toner black", "brand": "acme", "price": 3},
    {"id": "2", "title": "Laser toner black", "brand": ["acme", "lux"]},
    {"id": "3", "title": "Lamp " + "very " * 20, "brand": "lumen"},
    {"id": "4", "title": "Desk", "brand": "lux"},
]


def offered(corpus: Corpus, *asked: SuggestedQuery) -> Suggestions:
    phrases = read_phrases(corpus, ["brand", "price", "nowhere"], [one.text for one in asked])
    return Suggestions([*asked, *phrases])


def test_titles_and_values_are_proposed_each_once() -> None:
    suggestions = offered(make_corpus(DOCUMENTS))
    assert suggestions.complete("la", 9) == ["Laser toner black"]
    assert suggestions.complete("lu", 9) == ["lux", "lumen"]
    assert suggestions.complete("bla", 9) == ["Laser toner black"]


def test_what_people_ask_comes_first_and_stands_for_its_equal() -> None:
    asked = [SuggestedQuery("laser printer", 0.14), SuggestedQuery("LASER toner black", 0.14)]
    assert offered(make_corpus(DOCUMENTS), *asked).complete("las", 9) == ["LASER toner black", "laser printer"]


def test_a_document_that_is_gone_or_changed_is_not_proposed() -> None:
    corpus = make_corpus(DOCUMENTS)
    add(corpus, [{"id": "1", "title": "Ink"}, {"id": "2", "title": "Ink"}])
    assert offered(corpus).complete("laser", 9) == []
    assert offered(corpus).complete("ink", 9) == ["Ink"]
