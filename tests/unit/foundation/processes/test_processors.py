"""How many processors a process counts on, as control groups of both versions say it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from foundation.processes import processors as module
from foundation.processes.processors import at_once, processors


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def count(folder: Path, membership: str, files: dict[str, str]) -> float:
    for name, text in files.items():
        path = folder / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "membership").write_text(membership)
    return processors(folder / "groups", folder / "membership")


def test_without_groups_all_that_may_be_run_on_count(tmp_path: Path) -> None:
    assert processors(tmp_path, tmp_path / "none") == 8


@pytest.mark.parametrize(("limit", "expected"), [("150000 100000\n", 1.5), ("max 100000\n", 8), ("900000 100000\n", 8)])
def test_a_container_of_version_2(tmp_path: Path, limit: str, expected: float) -> None:
    assert count(tmp_path, "0::/\n", {"cpu.max": limit}) == expected


def test_the_tightest_of_the_groups_around_counts(tmp_path: Path) -> None:
    files = {"a/cpu.max": "200000 100000", "a/b/cpu.max": "400000 100000", "a/b/c/cpu.max": "max 100000"}

    assert count(tmp_path, "0::/a/b/c\n", files) == 2


def test_a_container_that_sees_only_its_own_group(tmp_path: Path) -> None:
    assert count(tmp_path, "0::/docker/0123\n", {"cpu.max": "300000 100000"}) == 3


@pytest.mark.parametrize(("quota", "expected"), [("250000", 2.5), ("-1", 8)])
def test_groups_of_version_1(tmp_path: Path, quota: str, expected: float) -> None:
    files = {"cpu,cpuacct/box/cpu.cfs_quota_us": quota, "cpu,cpuacct/box/cpu.cfs_period_us": "100000"}

    assert count(tmp_path, "4:memory:/box\n3:cpu,cpuacct:/box\n0::/\n", files) == expected


@pytest.mark.parametrize(("have", "processes", "expected"), [(8, 1, 8), (8, 4, 2), (2, 4, 1), (0.5, 1, 1), (1.5, 1, 2)])
def test_processes_share_the_processors(
    monkeypatch: pytest.MonkeyPatch, have: float, processes: int, expected: int
) -> None:
    monkeypatch.setattr(module, "processors", lambda: have)

    assert at_once(processes) == expected
