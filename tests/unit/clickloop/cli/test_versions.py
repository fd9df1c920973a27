"""What the commands of versions tell."""

from __future__ import annotations

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
