"""The file of synonyms."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import InvalidRequest
from serving.engine.synonyms import read_synonyms

PHRASES = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=8)


def write(folder: Path, text: str) -> Path:
    file = folder / "synonyms.txt"
    file.write_text(text, encoding="utf-8")
    return file


def test_equal_phrases_stand_for_each_other_and_arrows_go_one_way(tmp_path: Path) -> None:
    file = write(tmp_path, "# devices\n\ntv, television set\nlcd => screen, display\n")

    assert read_synonyms(file) == {
        "tv": ("television set",),
        "television set": ("tv",),
        "lcd": ("screen", "display"),
    }


def test_rules_of_one_phrase_add_up(tmp_path: Path) -> None:
    assert read_synonyms(write(tmp_path, "tv, telly\ntv => television, telly"))["tv"] == ("telly", "television")


def test_a_backslash_takes_the_next_character_literally(tmp_path: Path) -> None:
    assert read_synonyms(write(tmp_path, r"a\,b => c\=>d\\e")) == {"a,b": ("c=>d\\e",)}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("alone", "'alone' stands alone"),
        ("tv,, telly", "a phrase is empty"),
        ("=> screen", "a phrase is empty"),
        ("a => b => c", "one arrow at most"),
    ],
)
def test_a_line_that_is_no_rule_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"synonyms\.txt, line 3: .*{complaint}"):
        read_synonyms(write(tmp_path, f"tv, telly\n\n{line}\n"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="missing"):
        read_synonyms(tmp_path / "missing")


@given(st.lists(PHRASES, min_size=2, max_size=5, unique=True))
def test_whatever_is_written_on_one_line_finds_all_the_rest(
    tmp_path_factory: pytest.TempPathFactory, same: list[str]
) -> None:
    found = read_synonyms(write(tmp_path_factory.getbasetemp(), ", ".join(same)))

    assert {said: set(meant) for said, meant in found.items()} == {said: {*same} - {said} for said in same}
