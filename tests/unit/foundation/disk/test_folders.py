"""A folder that cannot be written to is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from foundation.disk.folders import make_folder
from foundation.errors import FolderClosed


def test_a_folder_is_made_with_those_above_it_and_may_be_there(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderClosed, match=r"file/home: Not a directory; .* CLICKLOOP_HOME"):
        make_folder(tmp_path / "file" / "home")


def test_a_folder_that_is_there_but_closed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(FolderClosed, match="permissions"):
        make_folder(tmp_path)
