"""Whether users saw other lists at all (pure)."""

from __future__ import annotations

import numpy as np

from retrainer.diagnosis.evidence import NO_GAIN, VersionEvidence
from retrainer.diagnosis.finding import MATERIAL_LOSS, BoundedValue, CauseFinding, find, lack
from retrainer.diagnosis.intervals import MIN_CLUSTERS, number_clusters, share_of, share_of_independent

NO_DRAFT = "no interleaving experiment compared this version's lists with those before, search by search."
DRAFT_ONE = "Start an interleaving experiment with it: its lists hold both rankings."


def examine(seen: VersionEvidence) -> CauseFinding:
    """Return whether the two rankings differ more rarely for users than for the queries that judged.

    The gain of each list that differs being the same, as much of it is lost as fewer lists differ.
    """
    if seen.gate is None:
        return lack("lists", NO_GAIN + ".", "")
    units = number_clusters([one.unit for one in seen.interleaved])
    if len(np.unique(units)) < MIN_CLUSTERS:
        return lack("lists", NO_DRAFT, DRAFT_ONE)
    differs = np.array([one.first_difference > 0 for one in seen.interleaved], dtype=np.float64)
    share = share_of(differs, np.ones(len(differs)), units)
    among_judged = share_of_independent(seen.gate.differs * seen.gate.judged, seen.gate.judged)
    return find(
        "lists",
        "share of searches for which the two rankings show other lists",
        BoundedValue(*share, (1 - MATERIAL_LOSS) * among_judged.low, "below"),
        f"the lists of both rankings differ in {share.value:.1%} of {len(differs):,} searches, and in "
        f"{seen.gate.differs:.1%} of the queries that judged the version.",
        "Train from queries that users ask often, or let the next version change more: no gain comes where nothing "
        "changes.",
    )
