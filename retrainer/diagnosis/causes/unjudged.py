"""Whether the gain comes from results that nobody looked at (pure)."""

from __future__ import annotations

from retrainer.diagnosis.evidence import NO_GAIN, VersionEvidence
from retrainer.diagnosis.finding import MATERIAL_LOSS, BoundedValue, CauseFinding, find, lack


def examine(seen: VersionEvidence) -> CauseFinding:
    """Return what of the gate's gain rests on belief alone: on results never shown for the judging queries."""
    if seen.gate is None:
        return lack("unjudged", NO_GAIN + ".", "")
    if seen.gate.unjudged is None:
        return lack("unjudged", "the version was judged before it was kept which results had clicks.", "Train again.")
    part = seen.gate.unjudged
    return find(
        "unjudged",
        "gain of nDCG@10 that comes from results that nobody looked at",
        BoundedValue(*part, MATERIAL_LOSS * seen.gate.change, "above"),
        f"{part.value:+.3f} of the gate's gain of {seen.gate.change:+.3f} comes from results that the version brings "
        "up and that nobody had looked at under these queries.",
        "Judge again from the clicks of its experiment, which showed these results.",
    )
