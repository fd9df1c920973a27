from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clickloop.cli.main import app
from foundation.errors import InvalidRequest, NotFound


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("CLICKLOOP_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return CliRunner()


def test_a_key_is_printed_once_listed_without_its_token_and_removed(cli: CliRunner) -> None:
    added = cli.invoke(app, ["keys", "add", "shop", "--collection", "help"])
    token = added.stdout.strip()
    listed = cli.invoke(app, ["keys", "list", "--json"])

    assert token.startswith("clk_")
    assert token not in listed.stdout
    assert [(key["name"], key["collection"], key["role"]) for key in json.loads(listed.stdout)] == [
        ("shop", "help", "app")
    ]
    assert cli.invoke(app, ["keys", "remove", "shop", "--collection", "help"]).exit_code == 0
    assert isinstance(cli.invoke(app, ["keys", "remove", "shop"]).exception, NotFound)


@pytest.mark.parametrize("collection", ["A B", "", "-help", "x" * 65])
def test_a_key_for_a_name_that_no_collection_can_have_is_refused(cli: CliRunner, collection: str) -> None:
    refused = cli.invoke(app, ["keys", "add", "boss", "--role", "admin", "--collection", collection])

    assert isinstance(refused.exception, InvalidRequest)
    assert json.loads(cli.invoke(app, ["keys", "list", "--json"]).stdout) == []
