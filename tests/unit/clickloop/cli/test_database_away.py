"""Commands whose database is away: a sentence and an exit status, never a traceback."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from clickloop.cli.demo.background_service import free_port
from clickloop.cli.main import main
from retrainer.workers import AGAIN

pytest.importorskip("psycopg")

COMMANDS = [
    ["collect"],
    ["background"],
    ["retrain"],
    ["retrain", "--run", "r"],
    ["migrate"],
    ["replay"],
    ["keys", "list"],
    ["keys", "add", "shop"],
    ["keys", "remove", "shop"],
    ["dead-letters"],
    ["dead-letters", "--send-again"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_that_is_away_is_a_sentence(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLICKLOOP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CLICKLOOP_DATABASE_URL", f"postgresql+psycopg://me@127.0.0.1:{free_port()}/clickloop")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["clickloop", *command])

    with pytest.raises(SystemExit) as ended:
        main()

    said = capsys.readouterr()
    assert ended.value.code == (AGAIN if "--run" in command else 1)  # whose trainer begins it anew
    assert "Traceback" not in said.err + said.out
    assert "database does not answer" in " ".join(said.err.split())
