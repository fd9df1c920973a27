"""`clickloop bench chaos`: every fault in turn, and what its clients saw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.chaos import emptied, hostile, kills, outages, replicas, silence, stalled, trainer
from benchmarks.harness.fixtures import get_collection
from benchmarks.harness.report import Bar, Findings

ALL_PARTS = ("kills", "outages", "trainer", "replicas", "emptied", "silence", "hostile", "stalled")
QUICK_PARTS = ("kills", "emptied")

Tell = Callable[[str], None]


def run(seed: int, quick: bool, tell: Tell, only: tuple[str, ...]) -> Findings:
    """Return the bars of the parts asked for, by their names in `ALL_PARTS`."""
    collection = get_collection(None, quick=True)
    documents, queries = collection.documents, list(collection.queries.values())
    visitors: dict[str, Callable[[], list[Bar]]] = {
        "silence": lambda: silence.measure(documents, queries, quick=quick),
        "hostile": lambda: hostile.measure(documents, queries, seed, quick, tell),
        "stalled": lambda: stalled.measure(documents, queries, quick, tell),
    }
    bars: list[Bar] = []
    details: dict[str, Any] = {}
    for part in only:
        tell(part)
        if part == "kills":
            found = kills.run(seed, quick)
            bars += found.bars
            details |= found.details
        elif part == "outages":
            for endured in outages.measure(documents, queries, seed, quick, tell):
                bars += endured.bars()
                details[f"{endured.outage.name}, refused writes"] = endured.statuses()
        elif part == "trainer":
            bars += trainer.measure(documents, queries, seed)
        elif part == "replicas":
            if replicas.can_isolate():
                bars += replicas.measure(documents)
            else:
                details["replicas"] = "not run: this machine gives no process namespaces"
        elif part == "emptied":
            bars += emptied.measure(documents, queries)
        else:
            bars += visitors[part]()
    return Findings(bars, details)
