"""What the command line says of wrong settings, and how it prints a receipt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clickloop.cli import main as cli
from foundation.http_client import ServiceClient
from foundation.privacy.secrets import secret
from tests.strangers import as_a_stranger, open_folder

RECEIPT: dict[str, Any] = {
    "id": "r-1",
    "person": "p-9f",
    "counts": {"impressions": 3, "events": 2},
    "versions": ["v-1", "v-2"],
    "change": 7,
    "signature": "ab12",
}


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKLOOP_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["clickloop", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(str(ended.value))


def test_a_secret_of_another_user_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_folder() as home:
        secret(home, "signing")
        (home / "signing.key").chmod(0)
        monkeypatch.setattr(cli, "app", lambda: secret(home, "signing"))
        with as_a_stranger():
            assert run_main(monkeypatch) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert "signing.key: Permission denied; give it to the user who runs clickloop" in line


def test_wrong_settings_are_a_line_each(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CLICKLOOP_PORT", "99999")
    monkeypatch.setenv("CLICKLOOP_LANGUAGE", "klingon")

    assert run_main(monkeypatch, "keys", "list") == 1

    port, language = capsys.readouterr().err.splitlines()
    assert "CLICKLOOP_PORT is '99999', but must be" in port
    assert "CLICKLOOP_LANGUAGE is 'klingon', but must be" in language


def test_a_home_that_cannot_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CLICKLOOP_HOME", str(tmp_path / "file" / "home"))

    assert run_main(monkeypatch, "serve") == 1

    told = capsys.readouterr().err.replace("\n", "")
    assert "Traceback" not in told
    assert "file/home" in told


@pytest.mark.parametrize("command", ["serve", "mcp"])
def test_there_are_65535_ports(command: str) -> None:
    assert CliRunner().invoke(cli.app, [command, "--port", "99999"]).exit_code == 2


def test_a_receipt_is_printed_in_lines_to_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ServiceClient, "delete", lambda *_: RECEIPT)

    lines = CliRunner().invoke(cli.app, ["erase", "anna"]).stdout.splitlines()

    assert lines == [
        "id         r-1",
        "person     p-9f",
        "counts     impressions 3, events 2",
        "versions   v-1, v-2",
        "change     7",
        "signature  ab12",
    ]
