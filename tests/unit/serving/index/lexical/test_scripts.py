"""By words alone: a word inside a title of any script, and codes and names however they are written."""

from __future__ import annotations

import pytest

from benchmarks.search.language import MIN_SHARE, measure_language
from serving.index.lexical.analysis import Analysis
from serving.index.lexical.index import LexicalIndex
from serving.index.lexical.synonyms import parse_synonyms
from tests.unit.serving.index.lexical.conftest import build

PAGES = [
    ("忘记密码怎么办", "zh"),
    ("登录验证码收不到", "zh"),
    ("วิธีรีเซ็ตรหัสผ่าน", "th"),
    ("ระยะเวลาคืนเงิน", "th"),
    ("Bracket, order code AB-123/4", "steel"),
    ("Bracket, order code AB-123/5", "steel"),
    ("Valve 54-OR323014", "spare"),
    ("Programming in C++", "templates"),
    ("Programming in C#", "generics"),
    ("Programming in C", "pointers"),
    ("Vitamin C", "tablets"),
    (".NET runtime install", "sdk"),
    ("Fishing net", "a net for fishing"),
    ("Straßenbahnfahrplan", "Linie 5"),
    ("getUserById", "method"),
    ("T-shirt, cotton", "crew neck"),
    ("Café cre\u0300me", "boisson"),
    ("İstanbul ve Iğdır", "gezi"),
    ("שָׁלוֹם עולם", "he"),
    ("ไข่ไก่ 猫", "one character"),
]


@pytest.fixture(scope="module")
def pages() -> LexicalIndex:
    return build(PAGES)


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("密码", 0),
        ("验证码", 1),
        ("รหัสผ่าน", 2),
        ("คืนเงิน", 3),
        ("AB1234", 4),
        ("ab 123 5", 5),
        ("323014", 6),
        ("cpp", 7),
        ("c++", 7),
        ("C#", 8),
        ("csharp", 8),
        ("c programming", 9),
        ("dotnet", 11),
        (".NET", 11),
        ("net", 12),
        ("Fahrplan", 13),
        ("FAHRPLAN", 13),
        ("bahnfahrplan", 13),
        ("get user by id", 14),
        ("tshirt", 15),
        ("t shirt", 15),
        ("CAFE creme", 16),
        ("ıstanbul", 17),
        ("שלום", 18),
        ("猫", 19),
        ("码", 0),
    ],
)
def test_the_title_that_holds_it_is_first(pages: LexicalIndex, query: str, title: int) -> None:
    assert title in list(pages.search(query, 2 if query == "码" else 1))


def test_a_synonym_may_have_signs() -> None:
    index = build(PAGES, Analysis(synonyms=parse_synonyms("c++, cee plus\nsteel => eisen")))

    assert next(iter(index.search("cee plus", 3))) == 7


def test_ten_languages_and_fifty_names_are_found() -> None:
    missed = {bar.what: bar.value for bar in measure_language() if not bar.met}

    assert MIN_SHARE == 0.95
    assert missed == {}
