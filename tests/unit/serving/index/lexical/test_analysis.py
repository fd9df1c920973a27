from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import InvalidRequest
from serving.index.lexical.analysis import (
    LANGUAGES,
    Analysis,
    Tokenizer,
    find_codes,
    make_valid,
    read_identifiers,
    read_quotes,
)


@pytest.mark.parametrize(
    ("text", "identifiers"),
    [
        ("The HP-305XL, an hp_305xl.", ["hp305xl", "hp305xl"]),
        ("Error 0x80070057 (err_conn_reset)", ["0x80070057", "errconnreset"]),
        ("v2.1.3 on 192.168.0.1, 2024-01-02", ["v2.1.3", "192.168.0.1", "2024.01.02"]),
        ("end-user and/or non-profit don't C++ 12", []),
        ("pg_catalog.pg_class", ["pgcatalogpgclass"]),
    ],
)
def test_identifiers_are_written_alike_and_prose_has_none(text: str, identifiers: list[str]) -> None:
    assert read_identifiers(text) == identifiers


def test_one_and_a_half_is_not_fifteen() -> None:
    assert read_identifiers("1.50") != read_identifiers("150")


@given(st.text())
def test_codes_stand_in_the_text_and_are_cut_once(text: str) -> None:
    codes = find_codes(text)

    assert all(code in text for code in codes)
    assert sum(map(len, codes)) <= len(text)


@pytest.mark.parametrize("query", ['a "blank page" b', "a “blank page” b", "a «blank page» b", "a „blank page“ b"])
def test_quotation_marks_of_many_lands_are_read(query: str) -> None:
    assert read_quotes(query) == ["blank page"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_cuts_texts(language: str) -> None:
    tokenizer = Tokenizer(language)

    assert tokenizer.words("Alpha BETA-gamma") == ["alpha", "beta", "gamma"]
    assert len(tokenizer.stems(["alpha", "beta"])) == 2


@given(st.text())
def test_query_and_index_cut_alike(text: str) -> None:
    tokenizer = Tokenizer("english")

    words = tokenizer.words(text)
    assert tokenizer.stems(words) == tokenizer.indexing.analyze(" ".join(words))
    assert len(tokenizer.stems(words)) == len(words)


def test_wrong_settings_are_named_all_at_once() -> None:
    with pytest.raises(InvalidRequest) as caught:
        Analysis(language="klingon", text_weight=-1, typo_weight=float("nan"))

    assert [fault.field for fault in caught.value.fields] == ["language", "text_weight", "typo_weight"]


def test_half_of_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert make_valid("a\ud800b") == "a?b"
