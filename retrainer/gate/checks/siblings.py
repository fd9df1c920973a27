"""Whether a candidate ranks as what was judged in its place."""

from __future__ import annotations

import numpy as np

from retrainer.gate.checks.finding import GateFinding, name_worst
from retrainer.gate.measurements import Measurements

MIN_ALIKE = 0.5
"""Share of ten results that a version has in common with one that learned from five sixths of the same."""


def check_siblings(measured: Measurements) -> GateFinding | None:
    """Find whether candidate and stand-ins show much the same; nothing where the candidate itself was judged."""
    keys = sorted(measured.sibling_tops)
    if not keys:
        return None
    shown, judged = measured.candidate_tops, measured.sibling_tops
    alike = np.array([len(set(shown[key]) & set(judged[key])) / max(1, len(judged[key])) for key in keys])
    problem = "ranks otherwise than what was judged in its place"
    worst = name_worst(keys, alike - 1)
    return GateFinding("share of ten results in common", float(alike.mean()), "above", MIN_ALIKE, problem, worst)
