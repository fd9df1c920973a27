"""Artifacts are whole and right, however many write them, wherever they lie."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import fsspec
import pytest

from foundation.clock import SystemClock
from foundation.ids import digest_bytes, new_id, time_of
from foundation.registry.artifacts import ArtifactStore

CONTENT = b"an artifact " * 10_000
WRITERS = 16


@pytest.fixture(params=["directory", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "directory":
        yield str(tmp_path / "artifacts")
        return
    url = f"memory://{uuid4().hex}"
    yield url
    fs, root = fsspec.core.url_to_fs(url)
    fs.rm(root, recursive=True)


def listed(url: str) -> list[str]:
    fs, root = fsspec.core.url_to_fs(url)
    return sorted(path.rpartition("/")[2] for path in fs.ls(root, detail=False))


def test_many_writers_of_one_artifact_never_fail(url: str) -> None:
    for _ in range(10):
        start = threading.Barrier(WRITERS)

        def write(store: ArtifactStore, start: threading.Barrier = start) -> str:
            start.wait()
            return store.put(CONTENT)

        with ThreadPoolExecutor(WRITERS) as pool:
            digests = set(pool.map(write, [ArtifactStore(url) for _ in range(WRITERS)]))
        assert digests == {digest_bytes(CONTENT)}
        assert listed(url) == [digest_bytes(CONTENT)]
        fs, root = fsspec.core.url_to_fs(url)
        fs.rm_file(f"{root}/{digest_bytes(CONTENT)}")


def test_a_damaged_artifact_is_mended_by_storing_it_again(url: str) -> None:
    store = ArtifactStore(url)
    digest = store.put(CONTENT)
    before = store.stamp(digest)
    fs, root = fsspec.core.url_to_fs(url)
    with fs.open(f"{root}/{digest}", "wb") as out:
        out.write(b"other bytes")
    damaged = store.stamp(digest)
    assert store.put(CONTENT) == digest
    assert store.get(digest) == CONTENT
    assert len({before, damaged, store.stamp(digest), ""}) == 4


def test_an_artifact_that_is_gone_has_no_stamp(url: str) -> None:
    assert ArtifactStore(url).stamp("0" * 64) == ""


def test_what_a_dead_writer_left_in_a_bucket_is_removed_after_a_day() -> None:
    url = f"memory://{uuid4().hex}"
    store = ArtifactStore(url)
    fs, root = fsspec.core.url_to_fs(url)
    now = SystemClock().now()
    for age in (timedelta(hours=1), timedelta(days=2)):
        fs.pipe_file(f"{root}/{'0' * 64}.{new_id(now - age)}.draft", b"half")
    digest = store.put(CONTENT)
    kept = [name for name in listed(url) if name != digest]
    assert len(kept) == 1
    assert time_of(kept[0].split(".")[1]) > now - timedelta(days=1)
