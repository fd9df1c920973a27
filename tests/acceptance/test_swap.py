"""Promotions and rollbacks fail no request, and what does not load does not serve."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import httpx
import pytest

from benchmarks.harness.fixtures import add_version, index, is_whole, register
from benchmarks.harness.server import Server
from benchmarks.swap import first_s, judge, swap
from clickloop.container import Container
from foundation.settings import Settings

TIMEOUT_S = 20.0


def test_no_request_fails_over_a_swap_and_its_rollback(
    home_settings: Settings, documents: list[dict[str, Any]], queries: list[str]
) -> None:
    answers, moves, manifests = swap(home_settings, documents, queries, moves=2, seed=5)
    assert [answer.problem for answer in answers if answer.problem] == []
    assert all(is_whole(answer.answer, manifests) for answer in answers if answer.answer)
    assert {move.version for move in moves} <= {answer.version for answer in answers}
    assert all(first_s(answers, move) < TIMEOUT_S for move in moves)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_twenty_moves_meet_the_bars(
    home_settings: Settings, documents: list[dict[str, Any]], queries: list[str]
) -> None:
    findings = judge(*swap(home_settings, documents, queries, moves=20, seed=6))
    assert all(bar.met for bar in findings.bars), findings


def test_a_version_that_does_not_load_leaves_the_old_one_serving_and_says_so(
    home_settings: Settings, documents: list[dict[str, Any]]
) -> None:
    container = Container(home_settings)
    with Server(home_settings) as server, httpx.Client(base_url=server.url, timeout=TIMEOUT_S) as client:
        index(server.remote, documents)
        good = add_version(container, 1)
        damaged = register(container, replace(container.baseline, adapter="0" * 64), "its adapter is nowhere")
        _promote(client, good)
        _await_version(client, good)
        _promote(client, damaged)
        problem = _await_problem(client)
        assert damaged in problem
        assert "0" * 64 in problem
        assert _search(client)["version"] == good
        assert client.post("/v1/versions/rollback").json()["version"] == good
        _await_problem(client, wanted=False)
        assert _search(client)["version"] == good
    container.engine.dispose()


def _promote(client: httpx.Client, version: str) -> None:
    assert client.post(f"/v1/versions/{version}/promote").status_code == 200


def _search(client: httpx.Client) -> Any:
    reply = client.post("/v1/search", json={"query": "print envelope", "log": False})
    assert reply.status_code == 200, reply.text
    return reply.json()


def _await_version(client: httpx.Client, version: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while _search(client)["version"] != version:
        assert time.monotonic() < deadline, f"{version} does not come to serve"
        time.sleep(0.05)


def _await_problem(client: httpx.Client, *, wanted: bool = True) -> str:
    """Return the replica's problem once it has one, or "" once it has none."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        (replica,) = client.get("/v1/versions").json()["replicas"]
        if bool(replica["problem"]) == wanted:
            return str(replica["problem"])
        assert time.monotonic() < deadline, f"the replica says {replica}"
        time.sleep(0.05)
