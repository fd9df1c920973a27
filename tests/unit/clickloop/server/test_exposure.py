"""Before a service listens: nobody else reaches it without a key, and the first key is made and told once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from clickloop.cli.main import app
from clickloop.server import exposure
from clickloop.server.exposure import prepare_to_listen
from foundation.access.keys import PREFIX, Keys
from foundation.clock import SystemClock
from foundation.database.engine import make_engine
from foundation.errors import Exposed
from foundation.settings import Settings


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_this_machine_alone_needs_no_key(host: str, told: list[str], tmp_path: Path) -> None:
    prepare_to_listen(Settings(_env_file=None, home=tmp_path / "home", host=host), told.append)

    assert told == []
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "search.example"])  # noqa: S104  what is refused
def test_beyond_it_the_service_does_not_start_without_keys(host: str, told: list[str], tmp_path: Path) -> None:
    with pytest.raises(Exposed, match=r"CLICKLOOP_REQUIRE_KEYS=true.*CLICKLOOP_HOST=127\.0\.0\.1"):
        prepare_to_listen(Settings(_env_file=None, home=tmp_path, host=host), told.append)


def test_the_command_says_so_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKLOOP_HOME", str(tmp_path))
    ended = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0", "--port", "0"])  # noqa: S104  what is refused

    assert isinstance(ended.exception, Exposed)
    assert "CLICKLOOP_REQUIRE_KEYS" in ended.exception.detail


def test_the_first_key_is_made_and_told_once(told: list[str], tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, host="0.0.0.0", require_keys=True)  # noqa: S104  with keys
    prepare_to_listen(settings, told.append)
    prepare_to_listen(settings, told.append)

    (text,) = told
    token = next(word for word in text.split() if word.startswith(PREFIX))
    engine = make_engine(settings.resolved_database_url())
    keys = Keys(engine, SystemClock())
    keys.refresh()
    found = keys.find(token)
    engine.dispose()
    assert found is not None
    assert (found.name, found.collection, found.role) == ("first", "default", "admin")


def test_of_processes_that_start_at_once_one_makes_the_first_key(
    any_engine: sa.Engine, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = Barrier(2, timeout=20)
    monkeypatch.setattr(exposure, "command_line_actor", lambda: f"cli:{together.wait()}")
    url = any_engine.url.render_as_string(hide_password=False)
    settings = Settings(_env_file=None, home=tmp_path, require_keys=True, database_url=url)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: prepare_to_listen(settings, told.append), range(2)))

    assert len(told) == 1
    assert [key.name for key in Keys(any_engine, SystemClock()).list()] == ["first"]


def test_where_there_is_a_key_none_is_made(told: list[str], tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, require_keys=True)
    prepare_to_listen(settings, told.append)
    engine = make_engine(settings.resolved_database_url())
    keys = Keys(engine, SystemClock())
    keys.add("mine", "default", "app")
    keys.remove("first", "default")
    engine.dispose()

    prepare_to_listen(settings, told.append)
    assert len(told) == 1
