from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from clickloop.cli.main import app
from clickloop.container import Container
from collector.dead_letters.store import put_aside
from foundation.database.engine import transaction
from foundation.eventlog.protocol import Record
from foundation.eventlog.records import impression_record
from foundation.settings import Settings
from tests.feedback import SHOWN_AT, impression

GOOD = impression_record(impression("q1"))
BAD = Record("default/q2", "{not json")


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Container:
    """The database that the commands work on, with two dead letters."""
    monkeypatch.setenv("CLICKLOOP_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    container = Container(Settings())
    with transaction(container.engine) as connection:
        for record in (GOOD, BAD):
            put_aside(connection, record, "an older release", SHOWN_AT)
    return container


def ask(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["dead-letters", *arguments])


@pytest.mark.usefixtures("container")
def test_dead_letters_are_listed_with_their_reason_and_beginning() -> None:
    told = json.loads(ask("--json").stdout)
    shown = ask().stdout

    assert {letter["beginning"] for letter in told} == {GOOD.body[:60], BAD.body}
    for letter in told:
        assert set(letter) == {"id", "at", "reason", "beginning"}
        assert all(text in shown for text in (letter["id"], "2026-01-05 00:00", letter["reason"], letter["beginning"]))
    assert len(json.loads(ask("--limit", "1", "--json").stdout)) == 1


@pytest.mark.usefixtures("container")
def test_a_collection_without_any_says_so() -> None:
    assert ask("--collection", "help").stdout == "collection help has no dead letters\n"
    assert json.loads(ask("--collection", "help", "--json").stdout) == []


def test_they_are_sent_again_and_counted(container: Container) -> None:
    sent = ask("--send-again", "--json")

    assert json.loads(sent.stdout) == {"collection": "default", "sent": 1, "unreadable": 1}
    assert [record.body for record in container.log.subscribe("test").poll(10, 0)] == [GOOD.body]
    again = ask("--send-again").stdout.splitlines()
    assert again == ["0 dead letters are in the log again", "1 stay, for this release cannot read them either"]


@pytest.mark.usefixtures("container")
def test_one_is_named_to_be_sent_again() -> None:
    ids = {letter["beginning"]: letter["id"] for letter in json.loads(ask("--json").stdout)}

    assert ask("--id", ids[BAD.body]).exit_code == 2
    assert "no dead letter 'x'" in str(ask("--send-again", "--id", "x").exception)
    assert ask("--send-again", "--id", ids[GOOD.body[:60]]).stdout == "1 dead letters are in the log again\n"
    assert [letter["id"] for letter in json.loads(ask("--json").stdout)] == [ids[BAD.body]]
