"""An import's place is kept as long as its source is the same."""

from __future__ import annotations

import os
from pathlib import Path

from clickloop.cli.importing.checkpoint import Checkpoint, ImportTally


def test_the_place_is_kept_until_it_is_cleared(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("id\n")
    assert Checkpoint(tmp_path, {"source": "a"}, [source], ImportTally()).load() == ImportTally()
    Checkpoint(tmp_path, {"source": "a"}, [source], ImportTally()).save(ImportTally(rows=7, created=6, refused=1))
    again = Checkpoint(tmp_path, {"source": "a"}, [source], ImportTally())
    assert again.load() == ImportTally(rows=7, created=6, refused=1)
    assert Checkpoint(tmp_path, {"source": "b"}, [source], ImportTally()).load() == ImportTally()
    again.clear()
    again.clear()
    assert again.load() == ImportTally()


def test_a_source_that_changed_is_read_anew(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("id\n")
    Checkpoint(tmp_path, {}, [source], ImportTally()).save(ImportTally(rows=7))
    os.utime(source, ns=(1, 1))
    assert Checkpoint(tmp_path, {}, [source], ImportTally()).load() == ImportTally()
    Checkpoint(tmp_path, {}, [source], ImportTally()).save(ImportTally(rows=8))
    assert Checkpoint(tmp_path, {}, [], ImportTally()).load() == ImportTally()
