"""What interleaved lists of the days before say of a candidate, before anybody sees it."""

from __future__ import annotations

from retrainer.gate.checks.finding import GateFinding
from retrainer.gate.measurements import Measurements


def check_off_policy(measured: Measurements) -> GateFinding | None:
    """Find whether people surely click less; nothing where too few lists or too little coverage say anything."""
    found = measured.off_policy
    if found is None or not found.says:
        return None
    problem = f"people would click less, by {found.lists} interleaved lists with a coverage of {found.coverage:.2f}"
    return GateFinding("upper 95% bound of the change of clicks a search", found.high, "above", 0.0, problem)
