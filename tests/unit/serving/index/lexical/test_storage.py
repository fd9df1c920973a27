"""An index on disk is opened, shared, compacted and survives what breaks it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from foundation.errors import ArtifactDamaged, Conflict
from serving.index.lexical.analysis import Analysis
from serving.index.lexical.index import LexicalIndex
from serving.index.lexical.storage import share_index
from tests.unit.serving.index.lexical.conftest import ARTICLES, build, mask


def test_an_index_on_disk_is_opened_as_it_was_committed(tmp_path: Path) -> None:
    index = build(ARTICLES, folder=tmp_path)
    expected = index.search("blank pages HP-305XL", 5)
    index.add(9, "never committed", "")
    index.close()

    again = LexicalIndex(tmp_path)

    assert len(again) == len(ARTICLES)
    assert again.search("blank pages HP-305XL", 5) == expected
    assert again.correct("pritner") == "printer"


def test_an_index_of_another_language_or_damaged_is_refused(tmp_path: Path) -> None:
    build(ARTICLES, folder=tmp_path).close()

    with pytest.raises(Conflict, match="another language"):
        LexicalIndex(tmp_path, Analysis(language="german"))
    (tmp_path / "meta.json").write_text("{}")
    with pytest.raises(ArtifactDamaged, match="build it anew"):
        LexicalIndex(tmp_path)


def test_searches_run_while_another_thread_writes(tmp_path: Path) -> None:
    index = build(ARTICLES, folder=tmp_path)

    with ThreadPoolExecutor(2) as pool:
        searches = [pool.submit(index.search, "blank television pritner", 5) for _ in range(400)]
        for row in range(10, 30):
            index.add(row, "Scanner", "Another article")
            index.commit()
        index.compact()

    assert all(set(search.result()) == {0, 1, 3} for search in searches)
    assert len(index) == len(ARTICLES) + 20


def test_one_writes_and_others_read_until_it_closes(tmp_path: Path) -> None:
    first = build(ARTICLES, folder=tmp_path)
    second = LexicalIndex(tmp_path)
    assert second.search("television", 1)

    with pytest.raises(Conflict, match="another process"):
        second.add(9, "late", "")
    first.close()
    second.add(9, "late", "")
    second.commit()

    assert list(second.search("late", 1)) == [9]


def test_compacting_leaves_one_segment_with_the_same_answers(tmp_path: Path) -> None:
    index = LexicalIndex(tmp_path)
    for row, (title, text) in enumerate(ARTICLES):
        index.add(row, title, text)
        index.commit()
    index.remove(3)
    index.commit()
    assert index._index.searcher().num_segments > 1

    index.compact()
    index.compact()

    kept = [0, 1, 2, 4]
    fresh = LexicalIndex()
    for row in kept:
        fresh.add(row, *ARTICLES[row])
    fresh.commit()
    assert index._index.searcher().num_segments == 1
    for query in ("blank pages", "err_conn_reset", "television", "cartrigde"):
        assert index.search(query, 5) == pytest.approx(fresh.search(query, 5))
    assert list(LexicalIndex(tmp_path).search("blank pages", 1)) == list(index.search("blank pages", 1))


@pytest.mark.parametrize("folder", [None, "index"])
def test_an_empty_index_answers_and_compacts(tmp_path: Path, folder: str | None) -> None:
    index = LexicalIndex(tmp_path / folder if folder else None)
    index.add(0, "gone", "")
    index.remove(0)

    index.compact()

    assert len(index) == 0
    assert index.search("gone", 5) == {}
    assert index.search("gone", 5, mask([0], 1)) == {}
    assert index.correct("gone") is None


def test_a_shared_index_has_changes_of_its_own_and_takes_no_space(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    build(ARTICLES, folder=source).close()
    share_index(source, target)
    sealed, private = LexicalIndex(source), LexicalIndex(target)
    segments = [json.loads((source / "meta.json").read_text())["segments"][0]["segment_id"].replace("-", "")]
    assert all((target / file.name).samefile(file) for name in segments for file in source.glob(f"{name}.*"))

    private.remove(0)
    private.add(7, "Scanner", "New here")
    private.commit()

    assert list(private.search("blank pages scanner", 5)) == [7, 1]
    assert set(sealed.search("blank pages scanner", 5)) == set(LexicalIndex(source).search("blank pages", 5)) == {0, 1}
    private.compact()
    assert len(LexicalIndex(source)) == len(ARTICLES)


def test_an_index_is_shared_only_into_a_new_folder(tmp_path: Path) -> None:
    build(ARTICLES, folder=tmp_path / "source").close()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()

    with pytest.raises(Conflict, match="not empty"):
        share_index(tmp_path / "source", tmp_path / "full")
    with pytest.raises(OSError, match=re.escape("meta.json")):
        share_index(tmp_path / "nowhere", tmp_path / "other")


def test_a_process_killed_while_it_compacts_loses_nothing(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from serving.index.lexical.index import LexicalIndex
index = LexicalIndex(Path(sys.argv[1]))
for row in range(20):
    index.add(row, f"article {row}", "text")
    index.commit()
from serving.index.lexical import index as module
add, count = module._write, iter(range(20))
module._write = lambda *arguments: add(*arguments) if next(count) < 10 else os._exit(9)
index.compact()
"""
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)  # noqa: S603  # our own script

    index = LexicalIndex(tmp_path)

    assert killed.returncode == 9
    assert len(index.search("article", 50)) == 20
    index.compact()
    assert len(index.search("article", 50)) == 20
