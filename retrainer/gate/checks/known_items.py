"""Queries whose answer is known without a click: who types a document's title wants that document.

Titles that people asked and clicked on are no such queries: what they meant by them is known better.
"""

from __future__ import annotations

from retrainer.gate.checks.finding import GateFinding, name_worst
from retrainer.gate.measurements import Measurements

MARGIN = 0.1
"""Titles may find so much less well, for nobody asked them; what is broken loses far more."""
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
