"""The commands of relevance settings show them, lead them back, and take files of synonyms once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from clickloop.cli.main import app
from foundation.http_client import ServiceClient

Asked = list[tuple[str, str, Any]]
_REVISION = {"revision": 3, "serves": True, "at": "2026-11-30T09:00:00Z", "actor": "key:[team]", "note": "sale"}
_DRAFT = {"revision": 4, "serves": False, "at": "2026-11-30T10:00:00Z", "actor": "local", "note": ""}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the commands ask of the service."""
    found: Asked = []

    def answer(self: ServiceClient, method: str, path: str, **options: Any) -> Any:
        found.append((method, path, options.get("json")))
        history = {"serves": 3, "revisions": [_DRAFT, _REVISION]}
        said = {"synonyms": {"tv": {"words": ["tv", "[telly]"]}}, "rules": {}, "terms": {}, "features": {}}
        return history if "?limit" in path else _REVISION | said

    monkeypatch.setattr(ServiceClient, "send", answer)
    return found


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["relevance", *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    ("arguments", "path"), [((), "/v1/relevance"), (("--revision", "2"), "/v1/relevance/revisions/2")]
)
def test_settings_are_shown_as_they_were_said(asked: Asked, arguments: tuple[str, ...], path: str) -> None:
    assert "'[telly]'" in run("show", *arguments)
    assert asked == [("GET", path, None)]


@pytest.mark.usefixtures("asked")
def test_the_history_tells_which_serves_and_which_waits() -> None:
    told = run("history").splitlines()
    assert ["draft" in line for line in told if " 4 " in line] == [True]
    assert ["serves" in line and "key:[team]" in line for line in told if " 3 " in line] == [True]


def test_a_revision_serves_again(asked: Asked) -> None:
    assert "revision 3 serves" in run("serve", "1", "--note", "complaints")
    assert asked == [("POST", "/v1/relevance/revisions/1/serve", {"note": "complaints"})]


def test_a_file_of_synonyms_is_taken_under_names_that_stay(asked: Asked, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("tv, television\nlcd => flat panel, screen\n")
    run("synonyms", str(file))
    run("synonyms", str(file))
    (method, path, first), (_, _, second) = asked
    assert (method, path) == ("PUT", "/v1/synonyms?note=words.txt")
    assert first == second
    assert sorted(map(str, first.values())) == [
        "{'words': ['lcd'], 'to': ['flat panel', 'screen']}",
        "{'words': ['television'], 'to': ['tv']}",
        "{'words': ['tv'], 'to': ['television']}",
    ]
