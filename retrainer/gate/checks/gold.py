"""Queries that people judged: no click can flatter their answers, and nothing was learned from them."""

from __future__ import annotations

import numpy as np

from retrainer.gate.checks.finding import GateFinding, name_worst
from retrainer.gate.measurements import Measurements

MARGIN = 0.01
_ERRORS = 2.5


def check_gold(measured: Measurements) -> GateFinding | None:
    """Find whether judged queries are answered as well as today; a margin is left for chance."""
    gold = measured.gold
    if not gold.keys:
        return None
    change, error = gold.mean_change()
    return GateFinding(
        f"mean change of {len(gold.keys)} judged queries",
        change,
        "above",
        -max(MARGIN, _ERRORS * error),
        "answers queries less well that people judged",
        name_worst(gold.keys, gold.change),
    )


def check_gold_answers(measured: Measurements) -> GateFinding | None:
    """Find whether a judged query loses every answer that it has among ten today: each is a case for good."""
    gold = measured.gold
    if not gold.keys:
        return None
    lost = (gold.champion > 0) & (gold.candidate == 0)
    worst = name_worst(gold.keys, np.where(lost, gold.change, 0.0))
    return GateFinding("judged queries left without an answer", float(lost.sum()), "below", 1.0, "loses answers", worst)
