"""Queries whose answer is known without a click: who types a document's title wants that document."""

from __future__ import annotations

from retrainer.gate.checks.finding import GateFinding, name_worst
from retrainer.gate.measurements import Measurements

MARGIN = 0.02
_ERRORS = 2.5


def check_known_items(measured: Measurements) -> GateFinding | None:
    """Find whether titles still find their documents; a margin is left for chance."""
    known = measured.known_items
    if not known.keys:
        return None
    change, error = known.mean_change()
    return GateFinding(
        f"mean change of {len(known.keys)} titles",
        change,
        "above",
        -max(MARGIN, _ERRORS * error),
        "titles find their documents less well",
        name_worst(known.keys, known.change),
    )
