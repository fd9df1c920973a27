"""What a training process does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from clickloop.parts import Parts
from foundation.errors import ClickloopError


def train_for_run(parts: Parts, collection: str, run_id: str) -> None:
    """Train for a run of the table and record the candidate, or the problem before raising it."""
    _use_one_thread()
    run = parts.runs.get(collection, run_id)

    def tell(doing: str) -> None:
        parts.runs.advance(run, "train", report={"doing": doing})

    try:
        version = parts.train(collection, run_id, tell)
    except ClickloopError as problem:
        parts.runs.advance(run, "train", report={"problem": problem.detail})
        raise
    finally:
        parts.generations.clear()
    parts.runs.advance(run, "train", version=version.id, report={"gate": version.reason, "metrics": version.metrics})


def train_once(parts: Parts, collection: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """Train a candidate now and return what became of it."""
    _use_one_thread()
    try:
        version = parts.train(collection, "", tell)
    finally:
        parts.generations.clear()
    return {
        "version": version.id,
        "status": version.status,
        "reason": version.reason,
        "metrics": version.metrics,
        "lineage": version.lineage,
    }


def _use_one_thread() -> None:
    """Leave the other cores to serving; threads inside small products mostly wait for each other."""
    torch.set_num_threads(1)
    threadpool_limits(1)
