"""Whether a candidate ranks the same when its artifacts are loaded again."""

from __future__ import annotations

from retrainer.gate.checks.finding import GateFinding
from retrainer.gate.measurements import Measurements


def check_reload(measured: Measurements) -> GateFinding:
    """Find whether any query is ranked differently after a reload."""
    differing = measured.reloaded_otherwise
    problem = "ranks differently each time that it is loaded"
    worst = tuple(repr(key) for key in differing[:3])
    return GateFinding("queries ranked differently", float(len(differing)), "below", 1.0, problem, worst)
