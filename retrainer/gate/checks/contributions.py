"""What each learned part contributes: one that does not know what it was taught is broken."""

from __future__ import annotations

from retrainer.gate.ablation import MIN_SURENESS
from retrainer.gate.checks.finding import GateFinding
from retrainer.gate.measurements import Measurements


def check_contributions(measured: Measurements) -> GateFinding | None:
    """Find whether every part makes what it learned from likelier; the one that does least is told."""
    parts = measured.contributions
    if not parts:
        return None
    broken = [f"{part} ({one.mean:+.3f} ± {one.error:.3f})" for part, one in parts.items() if not one.proven]
    problem = f"does not know what it was taught, log likelihood of learned clicks by {', '.join(broken)}"
    least = min(one.sureness for one in parts.values())
    return GateFinding("standard errors of the least sure part", least, "above", MIN_SURENESS, problem)
