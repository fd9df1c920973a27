"""What a query finds beside its plain words."""

from __future__ import annotations

import pytest

from serving.engine.analysis import Analysis
from serving.engine.lexical import LexicalIndex

DOCUMENTS = [
    "Replace the cartridge HP-305XL in the printer",
    "Error 0x80070057 while installing the printer driver",
    "The browser says net::ERR_CONN_RESET",
    "Notes of release v2.1.3",
    "Notes of release v2.1.30 and of 1.3 and of v2",
    "Blank pages come out",
    "Pages stay blank",
    "The television set has no picture",
    "Turn on wi-fi",
]


def index_of(texts: list[str], analysis: Analysis | None = None) -> LexicalIndex:
    index = LexicalIndex(analysis=analysis)
    for row, text in enumerate(texts):
        index.add(row, "", text)
    index.commit()
    return index


INDEX = index_of(DOCUMENTS)


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("HP-305XL", 0),
        ("hp305xl", 0),
        ("HP 305XL", 0),
        ("hp-305", 0),
        ("305", 0),
        ("0x8007", 1),
        ("err_conn_reset", 2),
        ("ERR_CONN", 2),
        ("v2.1.3", 3),
        ("wifi", 8),
    ],
)
def test_an_identifier_is_found_however_it_is_written_and_by_its_beginning(query: str, row: int) -> None:
    assert next(iter(INDEX.search(query, 3))) == row


def test_a_number_that_documents_have_means_itself() -> None:
    assert index_of(["room 100", "room 1000"]).search("100", 2).keys() == {0}


def test_words_in_quotation_marks_count_more_where_they_stand_together() -> None:
    plain, quoted = INDEX.search("blank pages", 2), INDEX.search('"blank pages"', 2)

    assert plain.keys() == quoted.keys() == {5, 6}
    assert quoted[5] > plain[5]
    assert quoted[6] == plain[6]


@pytest.mark.parametrize(("query", "row"), [("pirnter", 1), ("televsion", 7), ("insatling", 1)])
def test_a_word_that_no_document_has_is_looked_for_in_other_spellings(query: str, row: int) -> None:
    assert row in INDEX.search(query, 9)


def test_a_typing_error_counts_less_than_the_word() -> None:
    assert INDEX.search("televsion", 1)[7] < INDEX.search("television", 1)[7]


@pytest.mark.parametrize("query", ["paegs", "printer", "tvx", "xelevision", "0y80070057x"])
def test_known_short_and_mixed_words_and_other_first_letters_are_not_guessed(query: str) -> None:
    strict = index_of(DOCUMENTS, Analysis(typos=False))

    assert INDEX.search(query, 9).keys() == strict.search(query, 9).keys() | ({5, 6} if query == "paegs" else set())


def test_synonyms_of_one_word_and_of_several_are_found_and_count_less() -> None:
    index = index_of(DOCUMENTS, Analysis(synonyms={"TV": ("television set", "telly"), "monitor screen": ("picture",)}))

    assert index.search("tv", 3).keys() == {7}
    assert index.search("tv", 3)[7] < index.search('"television set"', 3)[7]
    assert index.search("monitor screens", 3).keys() == {7}
    assert index.search("television", 3).keys() == {7}
    assert index.search("screen", 3) == {}


def test_clicked_queries_find_a_document_as_one_mention_would() -> None:
    index = LexicalIndex()
    for row in range(20):
        index.add(row, "", "word " * 10, ["Drucker kaputt", "drucker"] if row == 3 else [])
    index.add(20, "", "drucker" + " word" * 9)
    index.commit()

    found = index.search("drucker", 5)

    assert found.keys() == {3, 20}
    assert found[3] == pytest.approx(found[20], rel=0.35)
    assert index.search("drucker", 5, fields=("title", "text")).keys() == {20}


def test_weights_scale_what_a_field_counts_and_zero_takes_it_out() -> None:
    def scores(**weights: float) -> dict[int, float]:
        index = LexicalIndex(analysis=Analysis(weights=weights))
        index.add(0, "kettle", "x")
        index.add(1, "x", "kettle")
        index.commit()
        return index.search("kettle", 2)

    assert scores(title=3.0)[0] == pytest.approx(3 * scores()[0])
    assert scores(text=0.0).keys() == {0}
