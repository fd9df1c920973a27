"""What experiments cost: an assignment, a look at a million searches, and the folding of their signals."""

from __future__ import annotations

from benchmarks.experiments.assignment import measure_assignment
from benchmarks.experiments.folding import measure_folding, measure_look
from benchmarks.harness.report import Bar, at_most

_UNITS, _QUICK_UNITS = 50_000, 5000
_SEARCHES, _QUICK_SEARCHES = 4000, 1000


def run(seed: int, quick: bool) -> list[Bar]:
    """Return bars "ab.assignment", "ab.look" and "ab.folding"."""
    units, searches = (_QUICK_UNITS, _QUICK_SEARCHES) if quick else (_UNITS, _SEARCHES)
    look_ms = 1000 * measure_look(units)
    ratio = measure_folding(searches, seed=seed)["ratio"]
    return [
        at_most("ab.assignment", "microseconds of an assignment's hash", measure_assignment(), 5.0),
        at_most("ab.look", f"milliseconds to sum {20 * units} interleaved searches of {units} units", look_ms, 50.0),
        at_most("ab.folding", "time to fold lists and events inside an experiment, by that outside", ratio, 1.10),
    ]
