"""How texts and queries are read."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.languages import Language
from serving.engine.analysis import Analysis, Code, compound_forms, normalise, read_codes, read_phrases

LANGUAGES: tuple[Language, ...] = get_args(Language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_an_analyzer_and_its_own_key(language: Language) -> None:
    analysis = Analysis(language)

    assert len(analysis.stems().analyze("one two")) == 2
    assert [analysis.key == Analysis(other).key for other in LANGUAGES].count(True) == 1


@given(st.text(max_size=200), st.sampled_from(LANGUAGES))
def test_a_text_has_as_many_stems_as_words(text: str, language: Language) -> None:
    analysis = Analysis(language)

    assert len(analysis.stems().analyze(normalise(text))) == len(analysis.words().analyze(normalise(text)))


def test_endings_and_accents_do_not_count_in_english() -> None:
    stems = Analysis().stems()

    assert stems.analyze("Printing Cafés") == stems.analyze("printed cafe")


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("HP-305XL", ("hp-305xl", "hp305xl")),
        ("0x80070057", ("0x80070057",)),
        ("err_conn_reset", ("err-conn-reset", "errconnreset")),
        ("v2.1.3", ("v2-1-3",)),
    ],
)
def test_identifiers_are_read_whole_and_numbers_never_run_together(text: str, forms: tuple[str, ...]) -> None:
    assert [code.forms for code in read_codes(f"replace {text} now")] == [forms]


def test_plain_words_are_no_identifiers() -> None:
    assert read_codes("don't print the café's pages. Next") == []


@pytest.mark.parametrize(
    ("pieces", "is_open"), [(("hp", "305"), True), (("2024",), False), (("read", "only"), False), (("x1",), False)]
)
def test_only_long_mixtures_of_letters_and_digits_may_go_on(pieces: tuple[str, ...], is_open: bool) -> None:
    assert Code(pieces).is_open is is_open


def test_phrases_are_what_stands_in_quotation_marks() -> None:
    assert read_phrases('print "blank pages" or “no ink” "') == ["blank pages", "no ink"]


def test_an_analysis_is_loaded_with_its_synonyms(tmp_path: Path) -> None:
    (tmp_path / "synonyms.txt").write_text("tv, telly")

    analysis = Analysis.load("german", tmp_path / "synonyms.txt", typos=False)

    assert (analysis.language, analysis.typos, analysis.synonyms["tv"]) == ("german", False, ("telly",))
    assert Analysis.load("german", None, typos=False).synonyms == {}


@given(st.text(max_size=200))
def test_compounds_of_a_text_are_its_codes_of_several_pieces(text: str) -> None:
    assert compound_forms(text) == {form for code in read_codes(text) if len(code.pieces) > 1 for form in code.forms}


def test_identifiers_of_a_text_are_found_between_brackets_and_stops() -> None:
    assert compound_forms("Fit the (HP-305XL), not v2.1.") == {"hp-305xl", "hp305xl", "v2-1"}
