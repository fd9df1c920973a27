from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import ArtifactDamaged, Conflict
from serving.index.lexical.analysis import Analysis
from serving.index.lexical.index import FIELDS, LexicalIndex
from serving.index.lexical.storage import share_index
from serving.index.lexical.synonyms import parse_synonyms

ARTICLES = [
    ("Printer prints blank pages", "Clean the HP-305XL cartridge, or call us."),
    ("Pages stay blank when the printer is cold", "Wait until it is warm."),
    ("Update fails", "Windows says 0x80070057 since v2.1.3; see err_conn_reset."),
    ("Television", "The screen of a television stays dark."),
    ("Cartridges", "Order the HP 62 cartridge."),
]
VOCABULARY = ["print", "page", "blank", "driver", "install", "remove", "color", "paper"]

Texts = Sequence[tuple[str, str]]


def build(articles: Texts, analysis: Analysis | None = None, folder: Path | None = None) -> LexicalIndex:
    index = LexicalIndex(folder, analysis or Analysis())
    for row, (title, text) in enumerate(articles):
        index.add(row, title, text)
    index.commit()
    return index


def mask(rows: Sequence[int], length: int) -> npt.NDArray[np.bool_]:
    allowed = np.zeros(length, np.bool_)
    allowed[list(rows)] = True
    return allowed


@pytest.fixture(scope="module")
def articles() -> LexicalIndex:
    return build(ARTICLES)


@pytest.fixture(scope="module")
def many() -> LexicalIndex:
    rng = np.random.default_rng(7)
    texts = [" ".join(rng.choice(VOCABULARY, int(rng.integers(3, 30)))) for _ in range(6000)]
    return build([("", text) for text in texts])


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

    assert build(article, Analysis(language="german")).search("leere Seite", 1)
    assert not build(article, Analysis(language="none", typo_weight=0.0)).search("leere Seite", 1)


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


def test_an_index_on_disk_is_opened_as_it_was_committed(tmp_path: Path) -> None:
    index = build(ARTICLES, folder=tmp_path)
    expected = index.search("blank pages HP-305XL", 5)
    index.add(9, "never committed", "")
    index.close()

    again = LexicalIndex(tmp_path)

    assert len(again) == len(ARTICLES)
    assert again.search("blank pages HP-305XL", 5) == expected
    assert again.correct("pritner") == "printer"


def test_an_index_of_another_language_or_damaged_is_refused(tmp_path: Path) -> None:
    build(ARTICLES, folder=tmp_path).close()

    with pytest.raises(Conflict, match="another language"):
        LexicalIndex(tmp_path, Analysis(language="german"))
    (tmp_path / "meta.json").write_text("{}")
    with pytest.raises(ArtifactDamaged, match="build it anew"):
        LexicalIndex(tmp_path)


def test_searches_run_while_another_thread_writes(tmp_path: Path) -> None:
    index = build(ARTICLES, folder=tmp_path)

    with ThreadPoolExecutor(2) as pool:
        searches = [pool.submit(index.search, "blank television pritner", 5) for _ in range(400)]
        for row in range(10, 30):
            index.add(row, "Scanner", "Another article")
            index.commit()
        index.compact()

    assert all(set(search.result()) == {0, 1, 3} for search in searches)
    assert len(index) == len(ARTICLES) + 20


def test_one_writes_and_others_read_until_it_closes(tmp_path: Path) -> None:
    first = build(ARTICLES, folder=tmp_path)
    second = LexicalIndex(tmp_path)
    assert second.search("television", 1)

    with pytest.raises(Conflict, match="another process"):
        second.add(9, "late", "")
    first.close()
    second.add(9, "late", "")
    second.commit()

    assert list(second.search("late", 1)) == [9]


def test_compacting_leaves_one_segment_with_the_same_answers(tmp_path: Path) -> None:
    index = LexicalIndex(tmp_path)
    for row, (title, text) in enumerate(ARTICLES):
        index.add(row, title, text)
        index.commit()
    index.remove(3)
    index.commit()
    assert index._index.searcher().num_segments > 1

    index.compact()
    index.compact()

    kept = [0, 1, 2, 4]
    fresh = LexicalIndex()
    for row in kept:
        fresh.add(row, *ARTICLES[row])
    fresh.commit()
    assert index._index.searcher().num_segments == 1
    for query in ("blank pages", "err_conn_reset", "television", "cartrigde"):
        assert index.search(query, 5) == pytest.approx(fresh.search(query, 5))
    assert list(LexicalIndex(tmp_path).search("blank pages", 1)) == list(index.search("blank pages", 1))


@pytest.mark.parametrize("folder", [None, "index"])
def test_an_empty_index_answers_and_compacts(tmp_path: Path, folder: str | None) -> None:
    index = LexicalIndex(tmp_path / folder if folder else None)
    index.add(0, "gone", "")
    index.remove(0)

    index.compact()

    assert len(index) == 0
    assert index.search("gone", 5) == {}
    assert index.search("gone", 5, mask([0], 1)) == {}
    assert index.correct("gone") is None


def test_a_shared_index_has_changes_of_its_own_and_takes_no_space(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    build(ARTICLES, folder=source).close()
    share_index(source, target)
    sealed, private = LexicalIndex(source), LexicalIndex(target)
    segments = [json.loads((source / "meta.json").read_text())["segments"][0]["segment_id"].replace("-", "")]
    assert all((target / file.name).samefile(file) for name in segments for file in source.glob(f"{name}.*"))

    private.remove(0)
    private.add(7, "Scanner", "New here")
    private.commit()

    assert list(private.search("blank pages scanner", 5)) == [7, 1]
    assert set(sealed.search("blank pages scanner", 5)) == set(LexicalIndex(source).search("blank pages", 5)) == {0, 1}
    private.compact()
    assert len(LexicalIndex(source)) == len(ARTICLES)


def test_an_index_is_shared_only_into_a_new_folder(tmp_path: Path) -> None:
    build(ARTICLES, folder=tmp_path / "source").close()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()

    with pytest.raises(Conflict, match="not empty"):
        share_index(tmp_path / "source", tmp_path / "full")
    with pytest.raises(OSError, match=re.escape("meta.json")):
        share_index(tmp_path / "nowhere", tmp_path / "other")


def test_a_process_killed_while_it_compacts_loses_nothing(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from serving.index.lexical.index import LexicalIndex
index = LexicalIndex(Path(sys.argv[1]))
for row in range(20):
    index.add(row, f"article {row}", "text")
    index.commit()
add, count = index._add, iter(range(20))
index._add = lambda *arguments: add(*arguments) if next(count) < 10 else os._exit(9)
index.compact()
"""
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)  # noqa: S603  # our own script

    index = LexicalIndex(tmp_path)

    assert killed.returncode == 9
    assert len(index.search("article", 50)) == 20
    index.compact()
    assert len(index.search("article", 50)) == 20


def test_a_word_asked_for_in_two_forms_counts_once(articles: LexicalIndex) -> None:
    assert articles.search("page pages", 5) == articles.search("pages", 5)
