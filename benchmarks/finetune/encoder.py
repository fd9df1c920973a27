"""Fine-tunes the encoder by judgments: quality before and after, forgetting, cost, and the swap under load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.finetune.supervised import Bench, Quality, peak_mib
from benchmarks.finetune.swap import Swapped, swap_encoder
from benchmarks.harness.fixtures import get_collection
from benchmarks.harness.report import Bar, Findings, at_least, at_most
from benchmarks.harness.server import bench_settings
from foundation.clock import monotonic_s
from retrainer.learners.encoder.protocol import LearnedEncoder
from retrainer.learners.encoder.tuning import TuningPlan
from simulator.collection import JudgedCollection, read_beir
from simulator.docstrings import package_folders, parse_docstrings

COLLECTION = "banking77"
OTHER = "postgresql_docs"

_QUICK_PLAN = TuningPlan(batch=16, learning_rate=1e-4, limit_s=2.0)
_QUICK_DOCUMENTS = 100
_QUICK_OTHERS = 50
_CLIENTS = 4
_MAX_FORGOTTEN = 0.01
_MAX_MIB = 4096.0
_MAX_TUNING_S = 1200.0
_MAX_BACK_S = 2.0


def measure(data: Path | None, minutes: float, seed: int, quick: bool, tell: Callable[[str], None]) -> Findings:
    """Return the bars of fine-tuning the encoder.

    Args:
        data: Folder with BANKING77 and the PostgreSQL manual in BEIR form; docstrings of packages without one.
        minutes: Most minutes of training.
        quick: Some steps on 100 docstrings.
    """
    collection, other = _read(data, quick)
    plan = _QUICK_PLAN if quick else TuningPlan(limit_s=60 * minutes)
    with bench_settings(encoder_threads=1) as settings:
        bench = Bench(settings.home, seed, tell)
        before = bench.measure(bench.open(collection, bench.own), with_adapter=not quick)
        unrelated = bench.measure(bench.open(other, bench.own), with_adapter=False)
        began_s = monotonic_s()
        tuned, learned = bench.tune(collection, plan)
        seconds = monotonic_s() - began_s
        after = bench.measure(bench.open(collection, tuned), with_adapter=not quick)
        forgotten = unrelated.dense - bench.measure(bench.open(other, tuned), with_adapter=False).dense
        tell("swapping under load")
        swapped = swap_encoder(settings, collection, learned, clients=1 if quick else _CLIENTS, seed=seed)
    bars = [*_quality_bars(before, after, forgotten), *_cost_bars(seconds), *_swap_bars(swapped)]
    return Findings(bars, _tell(before, after, learned, swapped))


def _read(data: Path | None, quick: bool) -> tuple[JudgedCollection, JudgedCollection]:
    if not quick:
        other = read_beir(data / OTHER) if data else parse_docstrings(package_folders(("scipy",)))
        return get_collection(data / COLLECTION if data else None, quick=False), other
    return (
        parse_docstrings(package_folders(("numpy",)), _QUICK_DOCUMENTS),
        parse_docstrings(package_folders(("scipy",)), _QUICK_OTHERS),
    )


def _quality_bars(before: Quality, after: Quality, forgotten: float) -> list[Bar]:
    bars = [
        at_least("finetune.1", "nDCG@10 of vectors alone gained on held-out queries", after.dense - before.dense, 0.0),
        at_most("finetune.3", "nDCG@10 of vectors alone lost on another collection", forgotten, _MAX_FORGOTTEN),
    ]
    if before.learned is not None and after.learned is not None:
        gained = after.learned - before.learned
        bars.insert(1, at_least("finetune.1", "nDCG@10 gained under the fast learners", gained, 0.0))
    return bars


def _cost_bars(seconds: float) -> list[Bar]:
    return [
        at_most("finetune.6", "seconds from judgments to the exported encoder", seconds, _MAX_TUNING_S),
        at_most("finetune.6", "peak memory of the training process, MiB", peak_mib(), _MAX_MIB),
    ]


def _swap_bars(swapped: Swapped) -> list[Bar]:
    failed = sum(bool(answer.problem) for answer in swapped.answers)
    return [
        at_most("finetune.3", f"failed of {len(swapped.answers)} searches over a swap and its rollback", failed, 0),
        at_most(
            "finetune.3", "seconds until the encoder before serves again after a rollback", swapped.back_s, _MAX_BACK_S
        ),
    ]


def _tell(before: Quality, after: Quality, learned: LearnedEncoder, swapped: Swapped) -> dict[str, Any]:
    return {
        "before": asdict(before),
        "after": asdict(after),
        "training": learned.lineage,
        "seconds from promotion to the new encoder serving": round(swapped.forward_s, 1),
        "problems": sorted({answer.problem for answer in swapped.answers if answer.problem})[:5],
    }
