"""What the chaos bench concludes from what its clients saw."""

from __future__ import annotations

import json
import random

import pytest

from benchmarks.chaos.hostile import odd
from benchmarks.chaos.outages import Endured, PlannedOutage
from benchmarks.chaos.readiness import ReadyzAnswer, untrue
from benchmarks.chaos.traffic import TimedSearch, Write
from benchmarks.harness.damage import Damage
from benchmarks.ingest.fuzz import GOOD_BODIES

UNHARMED = Damage(lost_events=0, lost_searches=0, unknown_events=0, miscounted=0, replay_differs=0, broken_answers=0)
LOGGED = [TimedSearch(at_s=place / 10, took_s=0.01, status=200, logged=True) for place in range(20)]
UNLOGGED = [TimedSearch(at_s=place / 10, took_s=0.01, status=200, logged=False) for place in range(20)]


def _endured(searches: list[TimedSearch], writes: list[Write]) -> Endured:
    return Endured(PlannedOutage("fault", 10), searches, writes, [], recovery_s=1.0, damage=UNHARMED)


@pytest.mark.parametrize(
    ("status", "problems", "searches", "lies"),
    [
        ("ready", (), LOGGED, 0),
        ("ready", (), UNLOGGED, 1),
        ("ready", (), UNLOGGED + LOGGED, 0),
        ("ready", (), [], 0),
        ("degraded", ("the log is away",), UNLOGGED, 0),
        ("degraded", (), UNLOGGED, 1),
        ("", (), LOGGED, 1),
        ("", (), [], 0),
    ],
)
def test_readiness_is_held_against_the_searches_around_it(
    status: str, problems: tuple[str, ...], searches: list[TimedSearch], lies: int
) -> None:
    assert len(untrue([ReadyzAnswer(1.0, status, problems)], searches)) == lies


def test_searches_elsewhere_in_time_contradict_nothing() -> None:
    assert not untrue([ReadyzAnswer(60.0, "ready")], UNLOGGED)


def test_a_late_or_refused_search_counts_against_the_share() -> None:
    late = TimedSearch(at_s=0, took_s=0.6, status=200, logged=True)
    refused = TimedSearch(at_s=0, took_s=0.01, status=503, logged=False)
    share = next(bar for bar in _endured([*LOGGED[:18], late, refused], []).bars() if bar.id == "chaos.answered_share")
    assert (share.value, share.met) == (0.9, False)


@pytest.mark.parametrize(
    ("write", "ill"),
    [
        (Write(at_s=0, took_s=0.1, status=200, retry_after=False), 0),
        (Write(at_s=0, took_s=0.1, status=503, retry_after=True), 0),
        (Write(at_s=0, took_s=0.1, status=507, retry_after=True), 0),
        (Write(at_s=0, took_s=0.1, status=503, retry_after=False), 1),
        (Write(at_s=0, took_s=2.5, status=503, retry_after=True), 1),
        (Write(at_s=0, took_s=0.1, status=500, retry_after=True), 1),
        (Write(at_s=0, took_s=10.0, status=0, retry_after=False), 1),
    ],
)
def test_a_write_is_refused_well_or_not(write: Write, ill: int) -> None:
    refusals = next(bar for bar in _endured(LOGGED, [write]).bars() if bar.id == "chaos.refusals")
    assert refusals.value == ill


def test_odd_bodies_keep_their_form_and_change_a_text() -> None:
    chance = random.Random(3)
    good = GOOD_BODIES["/v1/events"]
    bodies = [odd(good, chance) for _ in range(200)]
    assert all(isinstance(body, list) and len(body) == len(good) for body in bodies)
    assert all(body != good for body in bodies)
    assert len({json.dumps(body) for body in bodies}) > 150
