"""Keys while the database does not answer: what is known opens, without a wait and a traceback for every request."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.responses import Response

from foundation.access.keys import Key, Keys
from foundation.errors import StoreAway
from foundation.web.key_gate import KeyGate
from foundation.web.routes.paths import PathMap

SILENT_S = 0.35
KNOWN = {"known"}


class SilentDatabase(Keys):
    """Keys whose database does not answer, and fails at last."""

    def __init__(self, problem: Exception) -> None:
        self._problem = problem
        self.asked = 0

    @property
    def stale(self) -> bool:
        return True

    def refresh(self) -> None:
        self.asked += 1
        time.sleep(SILENT_S)
        raise self._problem

    def find(self, token: str) -> Key | None:
        return Key("app", "default", "app", datetime(2026, 1, 5, tzinfo=UTC)) if token in KNOWN else None


async def ask(gate: KeyGate, sent: str = "known") -> tuple[int, float]:
    """Return the status of an answer and how long it took."""
    headers = [(b"authorization", f"Bearer {sent}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/v1/search", "query_string": b"", "headers": headers}
    told: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        raise AssertionError("nothing is received")

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            told.append(message["status"])

    began = time.monotonic()
    await gate(scope, receive, send)
    return told[0], time.monotonic() - began


def ask_in_turn(keys: Keys, times: int, sent: str = "known") -> list[tuple[int, float]]:
    async def run() -> list[tuple[int, float]]:
        gate = KeyGate(Response(), keys, PathMap())
        answers = [await ask(gate, sent) for _ in range(times)]
        await asyncio.sleep(2 * SILENT_S)
        gc.collect()
        return answers

    return asyncio.run(run())


def test_known_keys_open_without_waiting_again_while_the_database_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    keys = SilentDatabase(StoreAway("silent"))
    answers = ask_in_turn(keys, 20)

    assert {status for status, _ in answers} == {200}
    assert sum(took_s > 0.1 for _, took_s in answers) == 1
    assert keys.asked == 1
    assert not [record for record in caplog.records if record.name == "asyncio"]


def test_unknown_keys_wait_and_are_told_to_come_again() -> None:
    answers = ask_in_turn(SilentDatabase(StoreAway("silent")), 2, "unknown")

    assert [(status, took_s > 0.05) for status, took_s in answers] == [(503, True)] * 2


def test_another_fault_is_told_though_nobody_waits_for_it_any_more(capsys: pytest.CaptureFixture[str]) -> None:
    ask_in_turn(SilentDatabase(ZeroDivisionError("our own")), 1)

    said = capsys.readouterr()
    assert "keys could not be read" in said.out + said.err
