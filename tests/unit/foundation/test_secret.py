"""One key an installation, for its owner's eyes only."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from foundation.secret import KEY_FILE, read_key
from foundation.settings import Settings


def test_the_first_start_makes_a_key_that_stays(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path / "new")

    key = read_key(settings)

    assert len(key) == 64
    assert read_key(settings) == key
    assert stat.S_IMODE((tmp_path / "new" / KEY_FILE).stat().st_mode) == 0o600


def test_processes_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)

    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: read_key(settings), range(16)))

    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_the_setting_goes_before_the_file(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, user_key="0123456789abcdef")

    assert read_key(settings) == b"0123456789abcdef"
    assert list(tmp_path.iterdir()) == []


def test_the_content_of_the_file_can_be_the_setting_of_another_machine(tmp_path: Path) -> None:
    key = read_key(Settings(_env_file=None, home=tmp_path))

    assert read_key(Settings(_env_file=None, user_key=(tmp_path / KEY_FILE).read_text())) == key


def test_a_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 16 characters"):
        Settings(_env_file=None, user_key="secret")


def test_the_key_is_in_no_printed_settings() -> None:
    assert "0123456789abcdef" not in repr(Settings(_env_file=None, user_key="0123456789abcdef"))


def test_a_country_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValidationError, match="'XX' is no country"):
        Settings(_env_file=None, phone_countries="DE XX")
