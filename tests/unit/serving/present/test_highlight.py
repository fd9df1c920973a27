from __future__ import annotations

import html
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.index.lexical.analysis import Tokenizer
from serving.present.highlight import Highlighter, mark_html

STEMS = Tokenizer("english").stems


def marked(query: str, text: str) -> list[str]:
    return [text[start:end] for start, end in Highlighter(query, STEMS).find(text)]


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("print envelope", "Printing envelopes in Print!", ["Printing", "envelopes", "Print"]),
        ("strasse", "Die Straße, die STRASSE", ["Straße", "STRASSE"]),
        ("cafe", "Cafe\u0301s and café", ["Cafe\u0301s", "café"]),
        ("封筒", "新しい封筒を印刷", ["封筒"]),
        ("印刷する", "封筒を印刷する", ["印刷する"]),
        ("カメラ", "かめらを買う", ["かめら"]),
        ("usbc", "A USB-C cable", ["USB-C"]),
        ("USB-C", "a usbc cable", ["usbc"]),
        ("c++", "C and C++", ["C++"]),
        ("iphone", "my iphone15", ["iphone15"]),
        ("fi", "ﬁ ligature", ["ﬁ"]),
        ("नमस्ते", "नमस्ते दुनिया", ["नमस्ते"]),
        ("", "nothing asked", []),
        ("sheet", "", []),
    ],
)
def test_the_words_of_the_query_are_marked_as_they_are_written(query: str, text: str, found: list[str]) -> None:
    assert marked(query, text) == found


def test_html_escapes_all_but_the_marks() -> None:
    text = 'a <b> & "sheet"'
    assert mark_html(text, Highlighter("sheet b", STEMS).find(text)) == (
        "a &lt;<mark>b</mark>&gt; &amp; &quot;<mark>sheet</mark>&quot;"
    )


@given(st.text(max_size=30), st.text(max_size=60))
def test_any_text_keeps_its_characters_and_marks_stand_apart(query: str, text: str) -> None:
    marks = Highlighter(query, STEMS).find(text)
    page = mark_html(text, marks)

    assert all(0 <= start < end <= len(text) for start, end in marks)
    assert all(before[1] < after[0] for before, after in pairwise(marks))
    assert html.unescape(re.sub("</?mark>", "", page)) == html.unescape(html.escape(text))
    assert not re.search("<(?!/?mark>)", page)


@given(st.text(alphabet="aäßﬁ封筒印カか한국ก์İ1-+ \u0301\u200d", max_size=20))
def test_a_text_finds_itself(text: str) -> None:
    whole = Highlighter(text, STEMS).find(text)
    assert bool(whole) == any(letter.isalnum() for letter in text)
