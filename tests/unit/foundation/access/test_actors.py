from __future__ import annotations

import getpass
from datetime import UTC, datetime

import pytest
from starlette.requests import Request

from foundation.access.actors import ACTOR_LENGTH, LOCAL, command_line_actor
from foundation.access.keys import Key
from foundation.web.requests import KEY_SCOPE, actor_of

KEY = Key("ops", "default", "admin", datetime(2026, 1, 1, tzinfo=UTC))


def test_request_with_key_is_known_by_keys_name() -> None:
    assert actor_of(Request({"type": "http", KEY_SCOPE: KEY})) == "key:ops"


def test_request_where_keys_are_not_required_is_local() -> None:
    assert actor_of(Request({"type": "http"})) == LOCAL


def test_command_is_known_by_user_of_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "maria")
    assert command_line_actor() == "cli:maria"


def test_command_of_account_without_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert command_line_actor() == "cli"


def test_no_actor_is_longer_than_its_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "x" * 500)
    assert len(command_line_actor()) == ACTOR_LENGTH
