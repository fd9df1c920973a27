from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.index.lexical.spelling import Speller

WORDS = {
    "printer": 90,
    "printers": 3,
    "pointer": 40,
    "document": 70,
    "documents": 5,
    "headphones": 9,
    "blank": 20,
    "page": 60,
    "pages": 50,
    "the": 99,
    "install": 8,
}


@pytest.fixture
def speller() -> Speller:
    def vocabulary(letter: str) -> list[tuple[str, int]]:
        return [(word, count) for word, count in WORDS.items() if word.startswith(letter)]

    return Speller(vocabulary, lambda word: WORDS.get(word, 0))


@pytest.mark.parametrize(
    ("query", "correction"),
    [
        ("prniter", "printer"),
        ("teh printer", "the printer"),
        ("Documnet, please!", "document, please!"),
        ("dociumnet", "document"),
        ("head phones", "headphones"),
        ("blankpages", "blank pages"),
        ("rinter", "printer"),
        ("rpinter", "printer"),
        ("orinter", "printer"),
        ("pprinter", "printer"),
        ("how to INSTAL the prnter?", "how to install the printer?"),
    ],
)
def test_unknown_words_are_replaced_and_all_else_stays(speller: Speller, query: str, correction: str) -> None:
    assert speller.correct(query) == correction


@pytest.mark.parametrize("query", ["", "the printer", "xyzzy", "hp305 pronter2", "?!", "pr"])
def test_known_words_codes_and_what_is_like_nothing_are_not_corrected(speller: Speller, query: str) -> None:
    assert speller.correct(query) is None


def test_the_frequent_word_is_meant_unless_another_is_much_nearer(speller: Speller) -> None:
    assert [guess.word for guess in speller.guess("printerz", 2)] == ["printer", "printers"]
    assert [guess.word for guess in speller.guess("documentz", 2)] == ["document", "documents"]


def test_short_words_are_one_edit_away_and_long_ones_two(speller: Speller) -> None:
    assert speller.guess("pgs", 5) == []
    assert [(guess.word, guess.distance) for guess in speller.guess("hedphoness", 5)] == [("headphones", 2)]


def test_a_query_of_unknown_words_alone_is_in_no_language_of_the_index(speller: Speller) -> None:
    assert speller.correct(" ".join(["prniter"] * 8)) == " ".join(["printer"] * 8)
    assert speller.correct(" ".join(["prniter"] * 9)) is None


@pytest.mark.parametrize("slip", ["rseet", "reet", "reeset", "teset", "eset", "ersett", "rsset"])
def test_every_common_slip_is_mended(slip: str) -> None:
    speller = Speller(lambda letter: [("reset", 9), ("rest", 1)] if letter == "r" else [], lambda word: word == "reset")

    assert speller.correct(slip) == ("reset" if slip != "ersett" else None)


def test_the_likelier_slip_is_meant_before_the_more_frequent_word() -> None:
    counts = {"share": 20, "shore": 100, "shire": 5}
    speller = Speller(lambda letter: list(counts.items()) * (letter == "s"), lambda word: counts.get(word, 0))

    assert speller.correct("shsre") == "share"
    assert speller.correct("shpre") == "shore"


def test_words_that_stand_beside_it_elsewhere_decide() -> None:
    counts = {"theme": 30, "three": 60}
    beside = {("theme", "selection"): 4}
    speller = Speller(
        lambda letter: list(counts.items()) * (letter == "t"),
        lambda word: counts.get(word, int(word == "selection")),
        lambda one, other: beside.get((one, other), 0),
    )

    assert speller.correct("thee") == "three"
    assert speller.correct("thee selection") == "theme selection"


def test_a_common_word_and_a_part_of_a_compound_are_no_slips() -> None:
    counts = {"with": 90, "widths": 2, "buslinie": 3}
    speller = Speller(
        lambda letter: [pair for pair in counts.items() if pair[0][0] == letter],
        lambda word: counts.get(word, 0),
        inside=lambda word: word == "linien",
    )

    assert speller.correct("width", {"width"}.__contains__) is None
    assert speller.correct("linien") is None


@given(st.text(max_size=40))
def test_any_query_can_be_corrected(query: str) -> None:
    speller = Speller(lambda letter: [(letter + "abc", 1)], lambda word: int(word == "abc"))

    correction = speller.correct(query)

    assert correction is None or correction != query
