"""The command tells every cause, and the first one that was found last."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from clickloop.cli.main import app
from foundation.http_client import ServiceClient

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


@pytest.fixture(autouse=True)
def service(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(self: ServiceClient, method: str, path: str, **options: Any) -> Any:
        assert (method, path) == ("GET", "/v1/versions/before%20the%20sale/diagnosis")
        return FOUND

    monkeypatch.setattr(ServiceClient, "send", answer)


def test_every_cause_has_a_row_and_the_sentence_comes_last() -> None:
    told = CliRunner().invoke(app, ["diagnose", "before the sale"], env={"COLUMNS": "200"}).output
    assert [word for word in ("no cause", "unknown", "position bias") if word in told] == [
        *("no cause", "unknown", "position bias"),
    ]
    assert told.rstrip().endswith("The same result counts 41% less, such as [bold].")


def test_programs_get_json() -> None:
    result = CliRunner().invoke(app, ["diagnose", "before the sale", "--json"])
    assert json.loads(result.output) == FOUND
