from __future__ import annotations

from collections.abc import Callable, Mapping

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
    return make(WORDS)


def make(
    counts: Mapping[str, int],
    known: Callable[[str], int] = lambda _word: 0,
    together: Callable[[str, str], int] = lambda _one, _other: 0,
    inside: Callable[[str], bool] = lambda _word: False,
) -> Speller:
    """Return a speller of an index that has so many documents by word; `known` says what else is known."""

    def vocabulary(letter: str) -> list[str]:
        return [word for word in counts if word.startswith(letter)]

    def count(word: str) -> int:
        return counts.get(word, 0)

    return Speller(vocabulary, count, lambda word: count(word) or known(word), together, inside)


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
    speller = make({"reset": 9, "rest": 1})

    assert speller.correct(slip) == ("reset" if slip != "ersett" else None)


def test_the_likelier_slip_is_meant_before_the_more_frequent_word() -> None:
    counts = {"share": 20, "shore": 100, "shire": 5}
    speller = make(counts)

    assert speller.correct("shsre") == "share"
    assert speller.correct("shpre") == "shore"


def test_words_that_stand_beside_it_elsewhere_decide() -> None:
    counts = {"theme": 30, "three": 60}
    beside = {("theme", "selection"): 4}
    speller = make(counts, lambda word: word == "selection", lambda one, other: beside.get((one, other), 0))

    assert speller.correct("thee") == "three"
    assert speller.correct("thee selection") == "theme selection"


def test_a_common_word_and_a_part_of_a_compound_are_no_slips() -> None:
    counts = {"with": 90, "widths": 2, "buslinie": 3}
    speller = make(counts, inside=lambda word: word == "linien")

    assert speller.correct("width", {"width"}.__contains__) is None
    assert speller.correct("linien") is None


@given(st.text(max_size=40))
def test_any_query_can_be_corrected(query: str) -> None:
    speller = Speller(lambda letter: [letter + "abc"], lambda _word: 1, lambda word: int(word == "abc"))

    correction = speller.correct(query)

    assert correction is None or correction != query


def test_words_that_come_later_are_known_and_those_that_go_are_not_meant() -> None:
    counts = {"reset": 9}
    speller = make(counts)
    assert speller.correct("ressult") is None

    counts |= {"result": 1, "reset": 0}
    speller.learn(["result"])

    assert speller.correct("ressult") == "result"
    assert speller.correct("rset") is None
