"""All bars of experiments: simulated ones, those over the service and the fold, and those of real tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.experiments.coverage import coverage, standard_errors
from benchmarks.experiments.diagnosis.sentences import sentences
from benchmarks.experiments.false_findings import false_findings
from benchmarks.experiments.live import audits, costs, kills, moves, over_http, upworthy
from benchmarks.experiments.pinned import pinned_evidence
from benchmarks.experiments.planning.sample_sizes import sample_sizes
from benchmarks.experiments.planning.year import year
from benchmarks.experiments.power import power
from benchmarks.experiments.sample_ratio import sample_ratio
from benchmarks.experiments.variance_reduction import variance_reduction
from benchmarks.harness.report import Bar, Findings
from foundation.clock import monotonic_s

Simulation = Callable[[int, bool], list[dict[str, Any]]]
Measurement = Callable[[int, bool], list[Bar]]


def _simulated(simulation: Simulation) -> Measurement:
    return lambda seed, quick: [Bar(**bar) for bar in simulation(seed, quick)]


PARTS: dict[str, Measurement] = {
    "false_findings": _simulated(false_findings),
    "power": _simulated(power),
    "planned_samples": _simulated(sample_sizes),
    "year": _simulated(year),
    "coverage": _simulated(coverage),
    "standard_errors": _simulated(standard_errors),
    "sample_ratio": _simulated(sample_ratio),
    "variance_reduction": _simulated(variance_reduction),
    "pinned_evidence": _simulated(pinned_evidence),
    "sentences": _simulated(sentences),
    "costs": costs.run,
    "audits": audits.run,
    "over_http": over_http.run,
    "moves": moves.run,
    "kills": kills.run,
}
QUICK_PARTS = ("power", "coverage", "sample_ratio", "variance_reduction", "sentences", "costs", "audits")
UPWORTHY = "upworthy"
ALL_PARTS = (*PARTS, UPWORTHY)


def run(
    seed: int, quick: bool, headlines: Path | None, tell: Callable[[str], object], only: Sequence[str] = ()
) -> Findings:
    """Return the bars "ab.*" and the seconds of each part.

    Args:
        headlines: The archive of real headline tests, which are left out without it.
        tell: Hears which part is measured.
        only: Parts of `ALL_PARTS`; all, or those of a quick run, when empty.
    """
    parts = dict(PARTS)
    if headlines is not None:
        parts[UPWORTHY] = _simulated(partial(upworthy.upworthy, path=headlines))
    wanted = only or (QUICK_PARTS if quick else tuple(parts))
    bars: list[Bar] = []
    seconds: dict[str, float] = {}
    for name in wanted:
        tell(name)
        began = monotonic_s()
        bars += parts[name](seed, quick)
        seconds[name] = round(monotonic_s() - began, 1)
    return Findings(bars, {"seconds": seconds})
