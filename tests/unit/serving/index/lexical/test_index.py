"""What words find, and how much they count."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.index.lexical.analysis import Analysis
from serving.index.lexical.index import FIELDS, LexicalIndex
from serving.index.lexical.synonyms import parse_synonyms
from tests.unit.serving.index.lexical.conftest import ARTICLES, VOCABULARY, build, mask


@settings(deadline=None, max_examples=20)
@given(st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=8))
def test_plain_words_of_equal_weight_are_ranked_by_bm25_alone(words: list[str]) -> None:
    rng = np.random.default_rng(1)
    texts = [(" ".join(rng.choice(VOCABULARY, 3)), " ".join(rng.choice(VOCABULARY, 20))) for _ in range(40)]
    index = build(texts, Analysis(title_weight=1.0))
    query, _ = index._index.parse_query_lenient(" ".join(words), ["title", "text"])
    searcher = index._index.searcher()
    expected = sorted(score for score, _ in searcher.search(query, 40).hits)

    assert sorted(index.search(" ".join(words), 40).values()) == pytest.approx(expected, rel=1e-5)


def test_weights_say_which_field_counts() -> None:
    articles = [("printer", "about something else"), ("something else", "about a printer")]

    assert next(iter(build(articles, Analysis(title_weight=3.0)).search("printer", 2))) == 0
    assert next(iter(build(articles, Analysis(title_weight=0.1)).search("printer", 2))) == 1
    assert list(build(articles, Analysis(title_weight=0.0)).search("printer", 2)) == [1]


def test_inflections_are_one_word_in_the_language_of_the_index() -> None:
    article = [("Seiten werden leer gedruckt", "")]

    assert build(article, Analysis(language="german")).search("gedruckter leere Seite", 1)
    assert not build(article, Analysis(language="none", typo_weight=0.0)).search("gedruckter", 1)


def test_quoted_words_count_more_where_they_stand_together(articles: LexicalIndex) -> None:
    plain, quoted = articles.search("blank pages", 5), articles.search('"blank pages"', 5)

    assert set(plain) == set(quoted) == {0, 1}
    assert quoted[0] / quoted[1] > 1.5 * plain[0] / plain[1]


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("HP-305XL", 0),
        ("hp305xl", 0),
        ("HP 305XL", 0),
        ("where to buy HP-305", 0),
        ("HP-62", 4),
        ("0x80070057", 2),
        ("0x8007", 2),
        ("err_conn_reset", 2),
        ("V2.1.3", 2),
    ],
)
def test_identifiers_are_found_however_they_are_written(articles: LexicalIndex, query: str, row: int) -> None:
    assert next(iter(articles.search(query, 5))) == row


def test_an_identifier_counts_more_than_its_parts_strewn_about() -> None:
    others = [("HP paper", "XL sheets")] * 20
    index = build([("HP and XL", "305 of HP, XL 305"), ("Cartridge", "HP-305-XL fits"), *others])

    assert next(iter(index.search("HP-305-XL", 2))) == 1


@pytest.mark.parametrize("query", ["telvision", "televisoin", "talevizion"])
def test_unknown_words_are_searched_by_what_they_may_have_meant(articles: LexicalIndex, query: str) -> None:
    found = articles.search(query, 5)

    assert list(found) == [3]
    assert found[3] < articles.search("television", 5)[3]


def test_frequent_and_short_words_are_never_taken_for_misspelt() -> None:
    index = build([("form", ""), ("from", ""), ("letters", ""), ("betters", ""), ("lettres", "")])

    assert list(index.search("form", 5)) == [0]
    assert list(index.search("forn", 5)) == []
    assert list(index.search("letters", 5)) == [2]


def test_a_rare_spelling_also_finds_the_usual_one_when_asked_to() -> None:
    articles = [("recieve", "")] + [("receive", "")] * 9

    assert len(build(articles).search("recieve", 10)) == 1
    assert len(build(articles, Analysis(rare_share=0.1)).search("recieve", 10)) == 10


def test_synonyms_count_less_than_the_word_asked_for_and_phrases_are_whole() -> None:
    synonyms = parse_synonyms("tv, television\nlcd => flat panel")
    index = build([("tv", ""), ("television", ""), ("flat panel", ""), ("panel flat", "")], Analysis(synonyms=synonyms))

    assert list(index.search("tv", 4)) == [0, 1]
    assert list(index.search("lcd", 4)) == [2]
    assert list(index.search("panel flat lcd", 1)) == [2]


def test_did_you_mean_uses_the_words_of_the_index(articles: LexicalIndex) -> None:
    assert articles.correct("blnak pages of the pritner") == "blank pages of the printer"
    assert articles.correct("printing blank page") is None


def test_the_vocabulary_grows_with_the_index() -> None:
    index = build([("printer", "")])
    assert index.correct("monitro") is None

    index.add(1, "monitor", "")
    index.commit()

    assert index.correct("monitro") == "monitor"


@settings(deadline=None, max_examples=300)
@given(st.text(st.characters(), max_size=80), st.sampled_from([FIELDS, ("text",), ("title", "identifiers")]))
def test_nothing_that_users_type_is_refused(articles: LexicalIndex, query: str, fields: tuple[str, ...]) -> None:
    found = articles.search(query, 3, fields=fields)
    articles.correct(query)

    assert len(found) <= 3
    assert all(score > 0 for score in found.values())


@settings(deadline=None)
@given(st.lists(st.sampled_from(list("+-!(){}[]^~*?:\\/&|<>=,;.#@ ")), max_size=12).map("".join))
def test_no_punctuation_around_words_changes_what_is_found(articles: LexicalIndex, marks: str) -> None:
    assert articles.search(f"{marks} blank {marks} pages {marks}", 5) == articles.search("blank pages", 5)


@given(st.text(st.characters(), max_size=40), st.text(st.characters(), max_size=80))
@settings(deadline=None, max_examples=30)
def test_any_document_can_be_added_and_is_found_by_its_words(title: str, text: str) -> None:
    index = LexicalIndex()
    index.add(5, title, text)
    index.commit()

    assert len(index) == 1
    if re.search(r"\b[a-z]{2,9}\b", text, re.ASCII):
        assert list(index.search(text, 1)) == [5]


def test_what_is_removed_is_gone_after_the_commit(articles: LexicalIndex) -> None:
    index = build(ARTICLES)

    index.remove(0)
    assert 0 in index.search("blank pages", 5)
    index.commit()

    assert list(index.search("blank pages", 5)) == [1]


@pytest.mark.parametrize("share", [0.0, 0.002, 0.01, 0.1, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("limit", [1, 20, 500])
def test_filtered_search_finds_the_best_of_the_allowed_rows(many: LexicalIndex, share: float, limit: int) -> None:
    allowed = np.random.default_rng(3).random(5000) < share
    every = many.search("print blank paper", 6000)
    best = sorted((score for row, score in every.items() if row < 5000 and allowed[row]), reverse=True)[:limit]

    found = many.search("print blank paper", limit, allowed)

    assert all(allowed[row] for row in found)
    assert list(found.values()) == pytest.approx(best, rel=1e-5)
    assert all(found[row] == pytest.approx(every[row], rel=1e-5) for row in found)


def test_a_wide_filter_that_the_best_rows_fail_is_searched_to_the_end() -> None:
    index = build([("print", "")] * 3000 + [("page", "print a long text about something else")] * 5)

    found = index.search("print", 3, mask(range(1000, 3005), 3005) & ~mask(range(3000), 3005))

    assert len(found) == 3
    assert min(found) >= 3000


def test_allowed_rows_may_be_listed(articles: LexicalIndex) -> None:
    assert list(articles.search("blank pages", 5, [1, 4])) == [1]
    assert articles.search("blank pages", 5, []) == {}


def test_a_word_asked_for_in_two_forms_counts_once(articles: LexicalIndex) -> None:
    assert articles.search("page pages", 5) == articles.search("pages", 5)
