"""All bars of experiments: simulated ones, those over the service and the fold, and those of real tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.experiments.coverage import coverage, standard_errors
from benchmarks.experiments.false_findings import false_findings
from benchmarks.experiments.live import audits, costs, moves, over_http, upworthy
from benchmarks.experiments.pinned import pinned_evidence
from benchmarks.experiments.power import power
from benchmarks.experiments.sample_ratio import sample_ratio
from benchmarks.experiments.variance_reduction import variance_reduction
from benchmarks.harness.report import Bar, Findings

SIMULATED = (false_findings, power, coverage, standard_errors, sample_ratio, variance_reduction, pinned_evidence)
LIVE = {"costs": costs.run, "audits": audits.run, "over_http": over_http.run, "moves": moves.run}


def run(seed: int, quick: bool, headlines: Path | None, tell: Callable[[str], object]) -> Findings:
    """Return the bars "ab.*".

    Args:
        headlines: The archive of real headline tests, which are left out without it.
        tell: Hears which part is measured.
    """
    bars: list[Bar] = []
    for simulated in SIMULATED:
        tell(simulated.__name__)
        bars += [Bar(**bar) for bar in simulated(seed, quick)]
    if headlines is not None:
        tell("upworthy")
        bars += [Bar(**bar) for bar in upworthy.upworthy(seed, quick, headlines)]
    for name, measure in LIVE.items():
        tell(name)
        bars += measure(seed, quick)
    return Findings(bars)
