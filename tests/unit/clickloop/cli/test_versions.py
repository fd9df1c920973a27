"""What the commands of versions tell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from clickloop.cli.main import app
from foundation.http_client import ServiceClient


@pytest.mark.parametrize(
    ("replicas", "says"),
    [
        ([], "champion v-1 is what replicas will serve; none reports that it serves now; before v-2"),
        ([{"name": "one", "version": "v-1", "problem": ""}], "champion v-1 is served by every replica (1) after 0."),
    ],
    ids=["none", "one"],
)
def test_a_rollback_tells_who_serves(monkeypatch: pytest.MonkeyPatch, replicas: list[Any], says: str) -> None:
    def ask(self: ServiceClient, method: str, path: str, **options: Any) -> Any:
        return {"version": "v-1", "previous": "v-2"} if method == "POST" else {"replicas": replicas}

    monkeypatch.setattr(ServiceClient, "send", ask)
    result = CliRunner().invoke(app, ["versions", "rollback", "--from", "v-2"])
    assert result.exit_code == 0, result.output
    assert says in result.output


FOUND = {
    "version": "v-2",
    "named": ["position_bias"],
    "sentence": "The same result counts 41% less, such as [bold].",
    "findings": [
        {"cause": "power", "state": "cleared", "sentence": "It was large enough.", "next_step": ""},
        {"cause": "drift", "state": "unknown", "sentence": "Not enough: nothing kept.", "next_step": "Wait."},
        {"cause": "position_bias", "state": "named", "sentence": "It counts less [bold].", "next_step": "Train."},
    ],
}


@pytest.fixture
def diagnosed(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(self: ServiceClient, method: str, path: str, **options: Any) -> Any:
        assert (method, path) == ("GET", "/v1/versions/before%20the%20sale/diagnosis")
        return FOUND

    monkeypatch.setattr(ServiceClient, "send", answer)


@pytest.mark.usefixtures("diagnosed")
def test_a_diagnosis_has_a_row_for_every_cause_and_the_sentence_comes_last() -> None:
    told = CliRunner().invoke(app, ["diagnose", "before the sale"], env={"COLUMNS": "200"}).output
    assert [word for word in ("no cause", "unknown", "position bias") if word in told] == [
        *("no cause", "unknown", "position bias"),
    ]
    assert told.rstrip().endswith("The same result counts 41% less, such as [bold].")


@pytest.mark.usefixtures("diagnosed")
def test_programs_get_a_diagnosis_as_json() -> None:
    result = CliRunner().invoke(app, ["diagnose", "before the sale", "--json"])
    assert json.loads(result.output) == FOUND
