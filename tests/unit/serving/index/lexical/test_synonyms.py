from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import InvalidRequest
from serving.index.lexical.synonyms import Synonyms, find_synonyms, parse_synonyms, read_synonyms


def table(text: str) -> dict[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    return parse_synonyms(text).compile(str.split)


def test_a_list_makes_each_the_synonym_of_every_other() -> None:
    assert table("tv, television, telly") == {
        ("tv",): (("television",), ("telly",)),
        ("television",): (("tv",), ("telly",)),
        ("telly",): (("tv",), ("television",)),
    }


def test_an_arrow_works_one_way_and_phrases_are_kept_whole() -> None:
    assert table("lcd, flat panel => screen, big display") == {
        ("lcd",): (("screen",), ("big", "display")),
        ("flat", "panel"): (("screen",), ("big", "display")),
    }


def test_comments_empty_lines_and_escaped_commas_are_no_rules_of_their_own() -> None:
    assert table("# nothing\n\n  # nothing either\na\\,b, c\n") == {("a,b",): (("c",),), ("c",): (("a,b",),)}


def test_every_faulty_line_is_named() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_synonyms("tv, television\nalone\na => b => c\nx, !?\n => y", "words.txt")

    assert [fault.field for fault in caught.value.fields] == [f"words.txt:{line}" for line in (2, 3, 4, 5)]
    assert "=>" in caught.value.fields[0].reason


def test_a_file_that_is_missing_or_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("büro, amt".encode("latin-1"))
    for name in ("none.txt", "latin.txt"):
        with pytest.raises(InvalidRequest, match=name):
            read_synonyms(tmp_path / name)


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("tv, television\n", encoding="utf-8")

    assert read_synonyms(tmp_path / "words.txt") == Synonyms((("tv", ("television",)), ("television", ("tv",))))


def test_the_longest_phrase_wins() -> None:
    synonyms = table("print => hardcopy\nprint job => document")

    assert find_synonyms(["stop", "print", "job", "print"], synonyms) == [("document",), ("hardcopy",)]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidRequest):
        parse_synonyms(text).compile(str.split)
