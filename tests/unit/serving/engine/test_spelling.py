"""Corrections of queries from the words of an index."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.engine.lexical import LexicalIndex


def index_of(*texts: str) -> LexicalIndex:
    index = LexicalIndex()
    for row, text in enumerate(texts):
        index.add(row, "", text)
    index.commit()
    return index


INDEX = index_of(
    "The printer prints blank pages",
    "Printer driver for the keyboard",
    "wi-fi does not connect to the internet",
    "protecting sheets and cells",
    "a café",
)


@pytest.mark.parametrize(
    ("query", "better"),
    [
        ("prnter driver", "printer driver"),
        ("pritner", "printer"),
        ("Keybord, please: prnter!", "keyboard, please: printer!"),
        ("protctng", "protecting"),
        ("blankpages", "blank pages"),
        ("key board", "keyboard"),
    ],
)
def test_unknown_words_are_exchanged_for_known_ones_and_the_rest_stays(query: str, better: str) -> None:
    index = index_of("please", *(["The printer prints blank pages for the keyboard", "driver protecting"] * 2))

    assert index.correct(query) == better


@pytest.mark.parametrize("query", ["printed pages", "wifi", "Cafe", "zzzzzzzz", "xqj-99", "", '"\\', "a b c"])
def test_what_is_known_or_near_nothing_is_left_alone(query: str) -> None:
    assert INDEX.correct(query) is None


def test_the_most_frequent_of_equally_near_words_is_chosen() -> None:
    assert index_of("cart", "card", "card").correct("carz") == "card"


def test_words_of_new_documents_are_offered_once_there_are_enough() -> None:
    index = index_of("printer")
    assert index.correct("keybord") is None

    index.add(1, "", "keyboard")
    index.commit()

    assert index.correct("keybord") == "keyboard"


def test_words_of_deleted_documents_are_not_offered() -> None:
    index = index_of("secretword", "secretwort", "other")
    index.remove(0)
    index.commit()

    assert index.correct("secretwor") == "secretwort"


@given(st.text(st.characters(), max_size=60))
def test_no_query_is_too_strange_to_correct(query: str) -> None:
    better = INDEX.correct(query)

    assert better is None or better != query
