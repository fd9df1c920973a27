"""`clickloop bench` finds the benchmarks where they are, and says how to get them where they are not."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from clickloop.cli import bench
from clickloop.cli.bench import GROUP, run_benchmarks
from foundation.errors import MissingExtra


def entry(value: str) -> list[EntryPoint]:
    return [EntryPoint("clickloop", value, GROUP)]


def test_the_benchmarks_run_under_their_own_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_benchmarks(["--help"])
    assert ended.value.code == 0
    assert "clickloop bench" in capsys.readouterr().out


def test_without_them_it_is_said_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "entry_points", lambda **_: entry("benchmarks_elsewhere.cli:app"))
    with pytest.raises(MissingExtra, match="clone clickloop's repository"):
        run_benchmarks([])


def test_what_the_benchmarks_themselves_miss_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "entry_points", lambda **_: entry("benchmarks.no_such_module:app"))
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        run_benchmarks([])
