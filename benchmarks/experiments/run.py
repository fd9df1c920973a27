"""All bars of experiments: simulated ones, those over the service and the fold, and those of real tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.experiments.coverage import coverage, standard_errors
from benchmarks.experiments.diagnosis.causes import diagnosis
from benchmarks.experiments.diagnosis.sentences import sentences
from benchmarks.experiments.false_findings import false_findings
from benchmarks.experiments.interleaving.null import null
from benchmarks.experiments.interleaving.sensitivity import sensitivity
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
Measurement = Callable[[int, bool], Findings]


def _simulated(simulation: Simulation) -> Measurement:
    return lambda seed, quick: Findings([Bar(**bar) for bar in simulation(seed, quick)])


def _measured(measurement: Callable[[int, bool], list[Bar]]) -> Measurement:
    return lambda seed, quick: Findings(measurement(seed, quick))


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
    "interleaving_null": _simulated(null),
    "interleaving": sensitivity,
    "sentences": _simulated(sentences),
    "diagnosis": diagnosis,
    "costs": _measured(costs.run),
    "audits": _measured(audits.run),
    "over_http": _measured(over_http.run),
    "moves": _measured(moves.run),
    "kills": _measured(kills.run),
}
QUICK_PARTS = ("power", "coverage", "sample_ratio", "variance_reduction", "sentences", "costs", "audits")
UPWORTHY = "upworthy"
ALL_PARTS = (*PARTS, UPWORTHY)


def run(
    seed: int,
    quick: bool,
    tell: Callable[[str], object],
    *,
    headlines: Path | None = None,
    data: Path | None = None,
    only: Sequence[str] = (),
) -> Findings:
    """Return the bars "ab.*", what else its parts found, and the seconds of each.

    Args:
        tell: Hears which part is measured.
        headlines: The archive of real headline tests, which are left out without it.
        data: Folder of collections in BEIR form; docstrings without one.
        only: Parts of `ALL_PARTS`; all, or those of a quick run, when empty.
    """
    parts = PARTS | {"interleaving": partial(sensitivity, data=data)}
    if headlines is not None:
        parts[UPWORTHY] = _simulated(partial(upworthy.upworthy, path=headlines))
    wanted = only or (QUICK_PARTS if quick else tuple(parts))
    bars: list[Bar] = []
    details: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    for name in wanted:
        tell(name)
        began = monotonic_s()
        found = parts[name](seed, quick)
        bars += found.bars
        details |= {name: found.details} if found.details else {}
        seconds[name] = round(monotonic_s() - began, 1)
    return Findings(bars, details | {"seconds": seconds})
