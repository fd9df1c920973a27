"""The index of words: who is found, under filters, on disk and while it changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import ArtifactDamaged
from serving.engine import lexical
from serving.engine.analysis import Analysis
from serving.engine.lexical import FIELDS, LexicalIndex

ROWS = 60
WORDS = ("kettle", "boils", "water", "tea", "cup", "hot")


def make_index() -> LexicalIndex:
    random = np.random.default_rng(7)
    index = LexicalIndex()
    for row in range(ROWS):
        index.add(row, " ".join(random.choice(WORDS, 2)), " ".join(random.choice(WORDS, random.integers(1, 30))))
    index.commit()
    return index


INDEX = make_index()
FLAGS = st.lists(st.booleans(), max_size=ROWS + 5).map(lambda flags: np.array(flags, np.bool_))
QUERIES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)


@given(st.text(st.characters(), max_size=80), st.sampled_from([FIELDS, ("text",), ("title", "clicked")]))
def test_no_character_of_a_query_has_a_meaning_by_accident(query: str, fields: tuple[str, ...]) -> None:
    assert len(INDEX.search(query, 3, fields=fields)) <= 3


@pytest.mark.parametrize(
    "query", ["kettle AND tea", "title:kettle", "-kettle", "kettle*", "kettle~2", "(kettle", "[kettle TO z]"]
)
def test_the_signs_of_query_languages_are_not_obeyed(query: str) -> None:
    assert INDEX.search("kettle", 60).keys() <= INDEX.search(query, 60).keys()


@pytest.mark.parametrize("narrow", [0, 1000])
@given(QUERIES, st.integers(1, 20), FLAGS)
def test_under_a_filter_the_best_allowed_rows_are_found_exactly(
    narrow: int, query: str, limit: int, allowed: lexical.Flags
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexical, "_NARROW", narrow)
        found = INDEX.search(query, limit, allowed)

    everything = INDEX.search(query, ROWS)
    expected = {row: score for row, score in everything.items() if row < len(allowed) and allowed[row]}
    assert all(row in expected for row in found)
    assert list(found.values()) == pytest.approx(sorted(expected.values(), reverse=True)[:limit], rel=1e-4)


def test_the_best_come_first() -> None:
    scores = list(INDEX.search("kettle tea", 20).values())

    assert scores == sorted(scores, reverse=True)


def test_removed_rows_are_gone_after_the_commit() -> None:
    index = LexicalIndex()
    index.add(0, "kettle", "")
    index.add(1, "kettle", "")
    index.commit()

    index.remove(0)
    assert index.search("kettle", 5).keys() == {0, 1}
    index.commit()

    assert index.search("kettle", 5).keys() == {1}


def test_an_empty_index_finds_nothing() -> None:
    assert LexicalIndex().search("kettle", 5) == {}
    assert LexicalIndex().correct("kettle") is None


def test_words_of_nearly_every_text_are_left_out_of_large_indexes_unless_there_is_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("serving.engine.clauses._LARGE", 10)
    index = LexicalIndex()
    for row in range(20):
        index.add(row, "", "the kettle" if row == 7 else "the cup")
    index.commit()

    assert index.search("the kettle", 20).keys() == {7}
    assert len(index.search("the", 20)) == 20


def test_an_index_on_disk_is_found_again_and_a_shared_copy_changes_apart(tmp_path: Path) -> None:
    index = LexicalIndex(tmp_path / "one")
    index.add(0, "kettle", "boils")
    index.commit()
    index.compact()

    LexicalIndex.share(tmp_path / "one", tmp_path / "other")
    copy = LexicalIndex(tmp_path / "other")
    copy.remove(0)
    copy.commit()

    assert copy.search("kettle", 5) == {}
    assert LexicalIndex(tmp_path / "one").search("kettle", 5).keys() == {0}


def test_compacting_merges_segments_and_loses_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexical, "_WORTH_MERGING", 30)
    index = LexicalIndex(tmp_path)
    for row in range(30):
        index.add(row, "", f"kettle {'tea ' * row}")
        index.commit()
    before = index.search("kettle", 40)

    index.compact()

    assert index.search("kettle", 40).keys() == before.keys() == set(range(30))
    assert len(list(tmp_path.glob("*.idx"))) <= 2
    assert LexicalIndex(tmp_path).search("kettle", 40).keys() == before.keys()


def test_an_index_of_another_language_is_refused(tmp_path: Path) -> None:
    LexicalIndex(tmp_path, Analysis("english")).commit()

    with pytest.raises(ArtifactDamaged, match="build them again"):
        LexicalIndex(tmp_path, Analysis("german"))


def test_accents_and_composed_characters_do_not_matter() -> None:
    index = LexicalIndex()
    index.add(0, "", "Cafe\u0301")
    index.commit()

    assert index.search("cafe", 1).keys() == index.search("café", 1).keys() == {0}
