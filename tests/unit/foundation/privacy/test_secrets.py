from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from foundation.privacy.secrets import secret


def test_a_secret_stays_the_same_and_differs_by_name(tmp_path: Path) -> None:
    first = secret(tmp_path / "home", "signing")

    assert len(first) == 32
    assert secret(tmp_path / "home", "signing") == first
    assert secret(tmp_path / "home", "other") != first


def test_only_the_owner_can_read_a_secret(tmp_path: Path) -> None:
    secret(tmp_path, "signing")

    assert stat.S_IMODE((tmp_path / "signing.key").stat().st_mode) == 0o600


def test_all_who_ask_at_once_get_the_same_secret_and_no_draft_is_left(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: secret(tmp_path, "signing"), range(64)))

    assert len(found) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["signing.key"]
