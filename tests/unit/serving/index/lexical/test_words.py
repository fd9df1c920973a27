"""How texts of any script are cut into words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.index.lexical.words import MAX_LETTERS, cut_words, inner_words, is_word


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("The printer's USB-C port", ["the", "printer", "s", "usb", "c", "port"]),
        ("忘记密码", ["忘记", "记密", "密码"]),
        ("サーバー設定", ["さー", "ーば", "ばー", "ー設", "設定"]),
        ("비밀번호 변경", ["비밀", "밀번", "번호", "변경"]),
        ("猫", ["猫"]),
        ("iPhone手机15", ["iphone", "手机", "15"]),
        ("पासवर्ड रीसेट करें", ["पासवर्ड", "रीसेट", "करें"]),
        ("C++ or C, not C#", ["c++", "or", "c", "not", "c#"]),
        ("a+b, item#, #tag", ["a", "b", "item", "tag"]),
        ("", []),
        ("x" * (MAX_LETTERS + 1), []),
    ],
)
def test_words_stand_in_their_order(text: str, plain: list[str]) -> None:
    assert cut_words(text).plain == plain


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("USB-C", {"usbc"}),
        ("Node.js", {"nodejs"}),
        (".NET", {".net", "dotnet"}),
        ("C++", {"cpp", "cplusplus"}),
        ("F#", {"fsharp"}),
        ("AT&T", {"att"}),
        ("O’Reilly", {"oreilly"}),
        ("U.S.A.", {"usa"}),
        ("M6x20", {"m6", "x20", "20"}),
        ("iphone15", {"iphone", "15"}),
        ("OR323014", {"or", "323014"}),
        ("getUserById", {"get", "user", "by", "id"}),
        ("1.5 and/or don't JavaScript", set()),
        ("a1b2c3d4e5f6a7b8", set()),
    ],
)
def test_what_else_a_text_is_found_by(text: str, forms: set[str]) -> None:
    assert set(cut_words(text).forms()) == forms


def test_every_character_of_a_run_begins_a_word() -> None:
    words = cut_words("รหัสผ่าน 密码箱")

    assert words.ends == ["น", "箱"]
    assert [words.plain[start:end][-1][-1:] for start, end in words.runs] == ["น", "箱"]


def test_a_mark_that_stands_alone_is_no_fault() -> None:
    assert cut_words("1\u0e34").plain == ["1", "\u0e34"]


def test_ends_of_long_words_are_found_inside() -> None:
    assert "fahrplan" in inner_words("strassenbahnfahrplan")
    assert inner_words("fahrt") == []


@given(st.text())
def test_any_text_is_cut_into_words_without_spaces(text: str) -> None:
    words = cut_words(text)

    assert all(word and not any(map(str.isspace, word)) for word in words.standing() + words.forms())
    assert all(len(one) <= 3 * MAX_LETTERS for one in words.standing())
    assert cut_words(text.upper()).plain == words.plain or text.upper().lower() != text.lower()


@given(st.text())
def test_whether_a_text_is_a_word_can_be_asked_of_anything(text: str) -> None:
    assert is_word(text) in (True, False)


@pytest.mark.parametrize(
    "text", ["a-" * 20_000, "a." * 20_000 + "!", "aB" * 20_000, "क्" * 20_000, "密" * 40_000, "1a" * 20_000]
)
def test_no_text_takes_long(text: str) -> None:
    began = time.perf_counter()

    cut_words(text)

    assert time.perf_counter() - began < 2
