"""A folder is its process's own as long as that lives, wherever it lives."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from foundation.clock import SystemClock
from foundation.disk.claims import Claim, name_process
from tests.namespaces import need_namespaces, start_contained
from tests.strangers import as_a_stranger, open_folder

SERVER = """
import os, pathlib, sys
from clickloop.server.shared_metrics import share_metrics
with share_metrics(pathlib.Path({home!r})):
    folder = pathlib.Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    print(os.getpid(), flush=True)
    for _ in sys.stdin:
        print(folder.exists(), flush=True)
"""


def names(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()}


def test_names_differ_in_one_process_too() -> None:
    made = {name_process() for _ in range(100)}
    assert len(made) == 100
    assert max(map(len, made)) <= 64


def test_folders_of_the_living_stay_and_those_of_the_dead_go(tmp_path: Path) -> None:
    living, dead = Claim(tmp_path, "living"), Claim(tmp_path, "dead")
    assert dead._held is not None
    os.close(dead._held)  # as the end of its process does
    after = Claim(tmp_path, "after")
    assert names(tmp_path) == {"living", "after"}
    living.release()
    after.release()
    assert names(tmp_path) == set()


@pytest.mark.parametrize("mode", [0, 0o755])
def test_folders_of_another_user_hinder_no_start(mode: int) -> None:
    with open_folder() as root:
        (root / "theirs").mkdir()
        (root / "theirs" / "held").touch(0)
        (root / "theirs").chmod(mode)
        os.utime(root / "theirs", (SystemClock().now().timestamp() - 90_000,) * 2)
        with as_a_stranger():
            mine = Claim(root, "mine")
            assert names(root) == {"mine", "theirs"}
            mine.release()
        (root / "theirs").chmod(0o755)


def test_a_folder_that_an_earlier_release_left_goes_after_a_day(tmp_path: Path) -> None:
    for name, age_s in (("host-17", 90_000), ("host-18", 60)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (SystemClock().now().timestamp() - age_s,) * 2)
    mine = Claim(tmp_path, "mine")
    assert names(tmp_path) == {"host-18", "mine"}
    mine.release()


def test_two_servers_with_the_same_process_id_on_one_home_keep_their_metrics(tmp_path: Path) -> None:
    need_namespaces()
    servers = []
    for _ in range(2):
        server = start_contained(SERVER.format(home=str(tmp_path)))
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stdout.readline().strip() == "1"
        servers.append(server)
    assert len(names(tmp_path / "servers")) == 2
    for server in servers:
        told, _ = server.communicate("still there?\n", timeout=10)
        assert told.strip() == "True"
        assert server.returncode == 0
    assert names(tmp_path / "servers") == set()
