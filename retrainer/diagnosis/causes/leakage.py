"""Whether the version was judged by queries that it had learned from (pure)."""

from __future__ import annotations

from retrainer.diagnosis.evidence import NO_GAIN, VersionEvidence
from retrainer.diagnosis.finding import MATERIAL_LOSS, BoundedValue, CauseFinding, find, lack
from retrainer.diagnosis.intervals import share_of_independent


def examine(seen: VersionEvidence) -> CauseFinding:
    """Return whether so many judging queries were learned from that they may make the gain.

    What was learned by heart can be ranked without a fault, so a leaked query may gain all that the version before
    lacked.
    """
    if seen.gate is None:
        return lack("leakage", NO_GAIN + ".", "")
    if seen.leaked is None or not seen.leaked.judged:
        return lack(
            "leakage",
            "the version keeps no queries, or none of those that judged it is known any more.",
            "Train again.",
        )
    leaked = seen.leaked
    share = share_of_independent(leaked.leaked, leaked.judged)
    each = max(1 - seen.gate.champion_ndcg, 1e-9)
    example = f", such as {leaked.examples[0][0]!r} beside {leaked.examples[0][1]!r}" if leaked.examples else ""
    return find(
        "leakage",
        "share of the judging queries that the version had learned from, or from one nearly equal",
        BoundedValue(*share, MATERIAL_LOSS * seen.gate.change / each, "above"),
        f"the version had learned from {leaked.leaked} of the {leaked.judged} queries that judged it, or from ones "
        f"nearly equal{example}; by heart these may gain {share.value * each:+.3f} of the gate's "
        f"{seen.gate.change:+.3f}.",
        "Do not trust this gate's figure. Train again with this release, which keeps queries that are nearly equal "
        "together.",
    )
