"""A server that is killed loses nothing that it acknowledged, and serves a whole version again."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.chaos.kills import crash
from benchmarks.harness.damage import Damage
from clickloop.container import Container
from collector.join.evidence import evidence_digest
from foundation.settings import Settings

UNHARMED = Damage(lost_events=0, lost_searches=0, unknown_events=0, miscounted=0, replay_differs=0, broken_answers=0)


def test_two_kills_lose_and_double_nothing(
    home_settings: Settings, documents: list[dict[str, Any]], queries: list[str]
) -> None:
    damage, memory = crash(home_settings, documents, queries, kills=2, seed=3)
    assert len(memory.events) > 20
    assert memory.retries > 0
    assert damage == UNHARMED
    container = Container(home_settings)
    digest = evidence_digest(container.engine, "default")
    container.engine.dispose()
    replayed = subprocess.run(
        [sys.executable, "-m", "clickloop", "replay"],
        env=os.environ | home_settings.to_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert digest in replayed.stdout.replace("\n", "")


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [11, 12])
def test_ten_kills_lose_and_double_nothing(
    home_settings: Settings, documents: list[dict[str, Any]], queries: list[str], seed: int
) -> None:
    damage, memory = crash(home_settings, documents, queries, kills=10, seed=seed)
    assert len(memory.events) > 100
    assert damage == UNHARMED
