"""Rankings survive the way through a TREC run file."""

from __future__ import annotations

from pathlib import Path

import pytest

from clickloop.evaluation.run_files import read_run, write_run
from foundation.errors import InvalidRequest


def test_a_run_comes_back_as_it_was_written(tmp_path: Path) -> None:
    run = {"q1": {"a": 2.5, "b": 1.0}, "q2": {"c": 0.25}}
    write_run(run, tmp_path / "system.run", "system")
    assert read_run(tmp_path / "system.run") == run
    assert (tmp_path / "system.run").read_text().splitlines()[1] == "q1 Q0 b 2 1.000000 system"


@pytest.mark.parametrize(
    "line",
    [
        "q1 Q0 a 1 2.0",
        "q1 Q0 a 1 high system",
        "q1 Q0 a 1 nan system",
        "q1 Q0 a 1 1e999 system",
        "q1 Q0 a 1 2.0 system more",
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "broken.run"
    file.write_text(f"q1 Q0 z 1 3.0 system\n\n{line}\n")
    with pytest.raises(InvalidRequest, match="line 3"):
        read_run(file)
