"""An autopilot over what a test has at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from ab_testing.api import Experiments, Planner
from foundation.clock import FrozenClock
from foundation.registry.registry import Registry
from foundation.settings import Settings
from retrainer.autopilot.autopilot import Autopilot, Training
from retrainer.autopilot.pauses import Pauses
from retrainer.hotswap import HotSwap
from retrainer.runs import Run, Runs


@dataclass
class AutopilotParts:
    """What an autopilot works with."""

    engine: sa.Engine
    clock: FrozenClock
    runs: Runs
    registry: Registry
    experiments: Experiments
    hotswap: HotSwap
    settings: Settings


def make_autopilot(parts: AutopilotParts, train: Callable[[Run], Training]) -> Autopilot:
    """Return the autopilot of a process of its own."""
    return Autopilot(
        runs=parts.runs,
        registry=parts.registry,
        experiments=parts.experiments,
        planner=Planner(parts.engine, parts.clock),
        hotswap=parts.hotswap,
        pauses=Pauses(parts.engine, parts.clock),
        settings=parts.settings,
        clock=parts.clock,
        train=train,
    )
