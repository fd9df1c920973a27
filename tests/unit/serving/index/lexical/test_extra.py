"""The words of a document's fields, as they are indexed and asked for."""

from __future__ import annotations

import numpy as np

from serving.index.lexical.analysis import Tokenizer
from serving.index.lexical.extra import MAX_TERMS, term_of, terms_of
from serving.index.lexical.index import LexicalIndex

FIELDS = {"brand": ["Brother Quux"], "part number": ["HP-305XL"]}


def test_words_carry_the_name_of_their_field_and_no_space() -> None:
    terms = terms_of(FIELDS, Tokenizer("english"))
    assert {"brand:quux", "part%20number:hp305xl"} <= set(terms)
    assert not any(" " in term for term in terms)
    assert term_of("a b", "c") == "a%20b:c"


def test_a_document_has_so_many_words_of_fields() -> None:
    assert len(terms_of({"tags": [f"tag{number}" for number in range(MAX_TERMS)]}, Tokenizer("english"))) == MAX_TERMS


def test_only_fields_that_are_searched_are_asked_and_by_their_weight() -> None:
    index = LexicalIndex()
    index.add(0, "toner", "black", FIELDS)
    index.add(1, "toner", "quux in the text")
    index.commit()
    assert set(index.search("quux", 5)) == {1}
    index.weigh({"brand": 1.0})
    light = index.search("quux", 5)
    index.weigh({"brand": 4.0, "part number": 1.0})
    heavy = index.search("quux", 5)
    assert set(light) == set(heavy) == {0, 1}
    assert heavy[0] > light[0]
    assert heavy[1] == light[1]
    assert set(index.search("hp305xl", 5)) == {0}
    assert index.correct("quuux toner") == "quux toner"
    assert index.matching("quux", np.ones(2, np.bool_)).tolist() == [True, True]


def test_words_of_fields_outlive_a_rewrite() -> None:
    index = LexicalIndex()
    index.weigh({"brand": 1.0})
    index.add(0, "toner", "black", FIELDS)
    index.add(1, "paper", "white", {"brand": ["Bolt"]})
    index.commit()
    index.remove(1)
    index.compact()
    assert set(index.search("quux", 5)) == {0}
