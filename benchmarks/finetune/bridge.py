"""The bridge: how good a fine-tuned encoder is before the first document is embedded by it, beside how good it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.finetune.collections import read_collections
from benchmarks.finetune.supervised import Bench
from benchmarks.harness.report import Bar, Findings, at_most
from benchmarks.harness.server import bench_settings
from retrainer.learners.encoder.bridging import bridge_spaces
from retrainer.learners.encoder.tuning import TuningPlan

_QUICK_PLAN = TuningPlan(batch=16, learning_rate=1e-4, limit_s=2.0)
_MAX_LOSS = 0.01


def measure(data: Path | None, minutes: float, seed: int, quick: bool, tell: Callable[[str], None]) -> Findings:
    """Return the bars of the bridge, one a collection.

    Args:
        minutes: Most minutes of training an encoder.
    """
    bars: list[Bar] = []
    details: dict[str, Any] = {}
    plan = _QUICK_PLAN if quick else TuningPlan(limit_s=60 * minutes)
    for name, collection in read_collections(data, quick).items():
        with bench_settings(encoder_threads=1) as settings:
            bench = Bench(settings.home, seed, tell)
            before = bench.open(collection, bench.own)
            tuned, learned = bench.tune(collection, plan)
            after = bench.open(collection, tuned)
            asked = [after.query(key) for key in sorted(after.asked)]
            bridge, agreement = bridge_spaces(bench.own.encoder.digest, before.corpus, after.corpus, asked)
            final = bench.measure(after, with_adapter=False).dense
            carried = bench.measure(bench.carry(collection, bridge, tuned), with_adapter=False).dense if bridge else 0.0
        bars.append(at_most("finetune.4", f"nDCG@10 that bridged serving lacks, {name}", final - carried, _MAX_LOSS))
        details[f"bridge on {name}"] = {
            "nDCG@10 of the encoder before": round(bench.measure(before, with_adapter=False).dense, 4),
            "nDCG@10 bridged": round(carried, 4),
            "nDCG@10 in the end": round(final, 4),
            "agreement": round(agreement, 4),
            "steps": learned.lineage.get("encoder_steps", 0),
            "share of the new weights": learned.lineage["encoder_share"],
        }
    return Findings(bars, details)
