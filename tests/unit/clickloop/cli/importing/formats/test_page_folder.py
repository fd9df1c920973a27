"""A directory of pages is read as a whole, each under its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from clickloop.cli.importing.formats.page_folder import PageFolder
from foundation.errors import NotFound


def test_pages_are_read_below_the_directory_under_their_paths(tmp_path: Path) -> None:
    for path, content in {
        "b.md": "# B\n\ntext",
        "a/index.HTML": "<title>A</title><link rel=canonical href=/a><p>text",
        "a/broken.md": "\udcff",
        ".git/c.md": "hidden",
        "a/picture.png": "no page",
    }.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode("utf-8", "surrogateescape"))
    source = PageFolder(tmp_path)
    found = list(source)
    assert [row.place for row in found] == ["a/broken.md", "a/index.HTML", "b.md"]
    assert "utf-8" in found[0].fault
    assert found[1].columns == {"id": "a/index.HTML", "url": "/a", "title": "A", "text": "text"}
    assert found[2].columns == {"id": "b.md", "url": "b.md", "title": "B", "text": "text", "fields": {}}
    assert source.done_bytes == source.total_bytes


def test_a_directory_without_pages_says_what_it_might_hold(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"corpus\.jsonl nor pages: \.html"):
        PageFolder(tmp_path)
