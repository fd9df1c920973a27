"""A file appears whole or not at all, whoever writes it at the same time."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from foundation.disk.files import hold, remove_left_over, whole_file, write_whole
from tests.strangers import as_a_stranger, open_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_many_writers_of_one_file_never_fail_and_leave_one_of_theirs(tmp_path: Path) -> None:
    contents = [bytes([number]) * 100_000 for number in range(64)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda content: write_whole(tmp_path / "file", content), contents))
    assert (tmp_path / "file").read_bytes() in contents
    assert names(tmp_path) == ["file"]


def test_of_many_first_writers_one_wins_for_good(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"first", first=True)
    write_whole(tmp_path / "file", b"second", first=True)
    assert (tmp_path / "file").read_bytes() == b"first"


def test_a_writer_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    write_whole(tmp_path / "file", b"before", durable=True)
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "file") as draft:
        draft.write_bytes(b"half")
        _ = 1 / 0
    assert (tmp_path / "file").read_bytes() == b"before"
    assert names(tmp_path) == ["file"]


def test_what_a_killed_writer_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    script = f"""
import os, pathlib
from foundation.disk.files import whole_file
with whole_file(pathlib.Path({str(tmp_path / "killed")!r})) as draft:
    draft.write_bytes(b"half")
    os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9  # noqa: S603  our own script
    assert len(names(tmp_path)) == 1
    with whole_file(tmp_path / "living") as draft:
        draft.write_bytes(b"whole")
        remove_left_over(tmp_path)
        assert names(tmp_path) == [draft.name]
    assert names(tmp_path) == ["living"]


def test_a_draft_of_another_user_hinders_no_writer() -> None:
    with open_folder() as folder:
        (folder / ".draft-1-file").touch(0)
        with as_a_stranger():
            write_whole(folder / "file", b"whole", durable=True)
        assert names(folder) == [".draft-1-file", "file"]


def test_a_file_of_another_user_is_somebody_elses() -> None:
    with open_folder() as folder:
        (folder / "held").touch(0)
        with as_a_stranger():
            assert hold(folder / "held") is None


def test_a_draft_is_called_like_its_target_as_far_as_names_may_be_long(tmp_path: Path) -> None:
    long = "x" * 240 + ".jsonl.gz"
    with whole_file(tmp_path / long) as draft:
        assert draft.name.endswith(".jsonl.gz")
    assert names(tmp_path) == [long]
