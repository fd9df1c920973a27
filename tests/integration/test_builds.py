"""Of one collection a process builds one snapshot at a time, and no build keeps it from ending."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from foundation.errors import Conflict
from foundation.processes.children import end_children, start_child
from foundation.settings import Settings
from serving.index import builds as builds_module
from serving.index.builds import Builds


def sleep_instead(*_: object, **_more: object) -> Any:
    return start_child("tests.sleeper", environment=os.environ)


def make_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builds:
    monkeypatch.setattr(builds_module, "start_child", sleep_instead)
    nobody_builds: Any = SimpleNamespace(is_building=lambda _: False, form="")
    return Builds(nobody_builds, Settings(_env_file=None, home=tmp_path))


def test_a_request_and_the_follower_that_come_at_once_start_one_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = make_builds(tmp_path, monkeypatch)
    both = threading.Barrier(2)
    started: list[Any] = []

    def looking(_: str) -> bool:
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)  # as if both had looked before either has started
        return False

    def start(*_: object, **_more: object) -> Any:
        started.append(sleep_instead())
        return started[-1]

    monkeypatch.setattr(builds._snapshots, "is_building", looking)
    monkeypatch.setattr(builds_module, "start_child", start)

    def ask(_: int) -> bool:
        try:
            builds.start("default")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(ask, range(2)))
    end_children(*started)
    assert sorted(answers) == [False, True]
    assert len(started) == 1


def test_a_build_that_stands_still_does_not_keep_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builds = make_builds(tmp_path, monkeypatch)
    builds.start("default")
    build = builds._processes["default", ""]
    os.kill(build.pid, signal.SIGSTOP)
    monkeypatch.setattr(builds_module, "end_children", partial(end_children, limit_s=0.2), raising=False)
    stopping = threading.Thread(target=builds.stop, daemon=True)
    stopping.start()
    stopping.join(5)
    hung = stopping.is_alive()
    build.kill()
    assert not hung
    assert build.wait() < 0
