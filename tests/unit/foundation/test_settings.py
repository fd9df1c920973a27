"""Settings come from the environment and have sane defaults."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from foundation.settings import Settings, explain_settings, renamed_settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CLICKLOOP_{name.upper()}", raising=False)


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    settings = Settings()
    assert settings.resolved_database_url() == f"sqlite:///{tmp_path / '.clickloop' / 'clickloop.db'}"
    assert settings.resolved_artifacts_url() == str(tmp_path / ".clickloop" / "artifacts")


def test_the_environment_sets_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKLOOP_DATABASE_URL", "postgresql+psycopg://db/clickloop")
    monkeypatch.setenv("CLICKLOOP_MAX_BATCH", "7")
    settings = Settings()
    assert settings.resolved_database_url() == "postgresql+psycopg://db/clickloop"
    assert settings.max_batch == 7


def test_a_file_sets_what_the_environment_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("CLICKLOOP_PORT=9000\nCLICKLOOP_SEED=3\n")
    monkeypatch.setenv("CLICKLOOP_SEED", "4")
    settings = Settings()
    assert (settings.port, settings.seed) == (9000, 4)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MIGRATE", "maybe"),
        ("CLOCK_SPEED", "0"),
        ("LISTS_PER_USER", "0"),
        ("PORT", "http"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("ALLOWED_ORIGINS", "https://help.example/"),
        ("ALLOWED_ORIGINS", "https://help.example, https://shop.example"),
        ("PUBLIC_HOSTS", "https://help.example"),
        ("PUBLIC_HOSTS", "help.example, shop.example"),
        ("PUBLIC_HOSTS", "*.example"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CLICKLOOP_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_every_wrong_setting_is_explained_by_its_variable_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PORT": "abc", "USER_KEY": "short-secret", "LANGUAGE": "klingon"}.items():
        monkeypatch.setenv(f"CLICKLOOP_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()

    port, language, key = explain_settings(caught.value)

    assert port.startswith("CLICKLOOP_PORT is 'abc', but must be a valid integer")
    assert language.startswith("CLICKLOOP_LANGUAGE is 'klingon', but must be 'none', 'arabic'")
    assert key.startswith("CLICKLOOP_USER_KEY must have at least 16 characters")
    assert "short-secret" not in key


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("RETENTION_DAYS", "3", "CLICKLOOP_RETENTION_DAYS is 3, but must be 0 or at least CLICKLOOP_LATENESS_DAYS"),
        ("PORT", "99999", "CLICKLOOP_PORT is '99999', but must be less than or equal to 65535"),
        ("ALLOWED_ORIGINS", "help", "CLICKLOOP_ALLOWED_ORIGINS: 'help' is no origin"),
    ],
)
def test_a_wrong_setting_is_explained_in_one_line(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CLICKLOOP_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()

    (line,) = explain_settings(caught.value)

    assert line.startswith(told)
    assert "\n" not in line


def test_allowed_origins_are_listed_with_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().origins() == ()
    monkeypatch.setenv("CLICKLOOP_ALLOWED_ORIGINS", "https://help.example  http://[::1]:8000 capacitor://localhost *")
    assert Settings().origins() == ("https://help.example", "http://[::1]:8000", "capacitor://localhost", "*")


def test_public_hosts_are_listed_with_spaces_and_any_only_where_keys_are_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Settings().hosts() == ()
    monkeypatch.setenv("CLICKLOOP_PUBLIC_HOSTS", "Search.example  admin.example:8443 [fd00::1]")
    assert Settings().hosts() == ("search.example", "admin.example:8443", "[fd00::1]")
    monkeypatch.setenv("CLICKLOOP_PUBLIC_HOSTS", "*")
    with pytest.raises(ValidationError, match="CLICKLOOP_REQUIRE_KEYS"):
        Settings()
    monkeypatch.setenv("CLICKLOOP_REQUIRE_KEYS", "true")
    assert Settings().hosts() == ("*",)


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_a_renamed_setting_is_read_under_its_old_name_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKLOOP_PATIENCE_MS", "120")
    assert Settings().max_queue_wait_ms == 120
    assert list(renamed_settings()) == [
        "CLICKLOOP_PATIENCE_MS is called CLICKLOOP_MAX_QUEUE_WAIT_MS now; the next release reads only that name"
    ]
    monkeypatch.setenv("CLICKLOOP_MAX_QUEUE_WAIT_MS", "150")
    assert Settings().max_queue_wait_ms == 150, "the new name wins"
