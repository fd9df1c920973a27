"""What tests of diagnoses share: a gate's figures, an experiment's effect, and lists of a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ab_testing.api import Experiment, ExperimentPlan, Trial, interleave
from collector.api import RunList
from retrainer.diagnosis.effects import GateFigures, MeasuredEffect
from retrainer.diagnosis.intervals import Interval

PLAN = ExperimentPlan("one", "interleaving", "v-1", "v-2", planned_searches=1000, min_days=1.0, max_days=7.0)
EXPERIMENT = Experiment("default", "e", PLAN, "decided", 1, datetime(2026, 1, 5, tzinfo=UTC))
GATE = GateFigures(change=0.05, champion_ndcg=0.5, judged=200, differs=0.9, unjudged=Interval(0.005, 0.0, 0.01))


def gate(**changes: Any) -> GateFigures:
    return replace(GATE, **changes)


def effect(**changes: Any) -> MeasuredEffect:
    """Return an effect that is as large as expected, measured well but not by far."""
    usual: dict[str, Any] = {"searches": 2000, "units": 400, "estimate": 0.05, "standard_error": 0.012, "found": False}
    return MeasuredEffect(EXPERIMENT, expected=0.05, trial=Trial(), **usual | changes)


def shown(
    number: int,
    *,
    first_difference: int = 1,
    teams: tuple[str, ...] = ("control", "treatment", "control"),
    clicked: tuple[int, ...] = (1,),
    arm: str = "interleaved",
    took_ms: float = 50.0,
) -> RunList:
    """Return the list of a search by one of a hundred users."""
    documents = tuple(f"d{rank}" for rank in range(1, len(teams) + 1))
    return RunList(
        f"user-{number % 100}", f"query {number % 40}", arm, first_difference, documents, teams, clicked, took_ms
    )


def drafted(steepness: float, count: int = 6000, relevant: float = 0.7, other: float = 0.1) -> list[RunList]:
    """Return drafts of two rankings whose first documents are exchanged; users look at rank k by k**-steepness."""
    random = np.random.default_rng(8)
    lists = []
    for number in range(count):
        query = f"query {number % 50}"
        names = [f"{query}/{place}" for place in range(6)]
        slots = interleave([names, [names[1], names[0], names[3], names[2], *names[4:]]], 6, number)
        chances = [
            rank**-steepness * (relevant if slot.document_id in names[:1] else other)
            for rank, slot in enumerate(slots, 1)
        ]
        clicked = tuple((np.flatnonzero(random.random(6) < chances) + 1).tolist())
        documents, teams = tuple(slot.document_id for slot in slots), tuple(slot.team for slot in slots)
        lists.append(RunList(f"user-{number % 300}", query, "interleaved", 1, documents, teams, clicked, 50.0))
    return lists
