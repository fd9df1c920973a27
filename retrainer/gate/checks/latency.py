"""How long a candidate takes to rank, beside the champion on the same machine."""

from __future__ import annotations

from retrainer.gate.checks.finding import GateFinding
from retrainer.gate.measurements import Measurements

MAX_RATIO = 3.0
FREE_MS = 10.0
"""So much more is never refused: beside the rest of a search nobody feels it."""


def check_latency(measured: Measurements) -> GateFinding | None:
    """Find whether ranking takes too long: three times as long as the champion's, and 10 ms longer."""
    took = measured.latency
    if took is None:
        return None
    bound = max(MAX_RATIO * took.champion_ms, took.champion_ms + FREE_MS)
    return GateFinding("median of milliseconds of processor", took.candidate_ms, "below", bound, "ranks too slowly")
