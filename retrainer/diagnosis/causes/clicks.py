"""Whether users click where the lists differ (pure)."""

from __future__ import annotations

import numpy as np

from retrainer.diagnosis.causes.lists import DRAFT_ONE, NO_DRAFT
from retrainer.diagnosis.evidence import VersionEvidence
from retrainer.diagnosis.finding import MATERIAL_LOSS, BoundedValue, CauseFinding, find, lack
from retrainer.diagnosis.intervals import MIN_CLUSTERS, number_clusters, share_of

_DEPTH = 10


def examine(seen: VersionEvidence) -> CauseFinding:
    """Return whether clicks fall where the lists differ as often as nDCG@10 takes for granted.

    nDCG gives each rank the weight 1 / log2(rank + 1). Where lists that differ have a smaller share of their clicks on
    the results that one ranking wanted and the other did not, that much of the gain is seen by nobody.
    """
    clicked = [one for one in seen.interleaved if any(one.teams) and one.clicked]
    units = number_clusters([one.unit for one in clicked])
    if len(np.unique(units)) < MIN_CLUSTERS:
        why = "too few searches have lists that differ and a click." if seen.interleaved else NO_DRAFT
        return lack("clicks", why, "Let its experiment run on." if seen.interleaved else DRAFT_ONE)
    clicks = np.array([len(one.clicked) for one in clicked], dtype=np.float64)
    where = [sum(bool(one.teams[rank - 1]) for rank in one.clicked if rank <= len(one.teams)) for one in clicked]
    share = share_of(np.array(where, dtype=np.float64), clicks, units)
    taken = float(np.average([_weight_of_differing(one.teams) for one in clicked], weights=clicks))
    return find(
        "clicks",
        "share of the clicks in lists that differ that fall on what differs",
        BoundedValue(*share, (1 - MATERIAL_LOSS) * taken, "below"),
        f"where the lists differ, {share.value:.1%} of {int(clicks.sum()):,} clicks fall on results that differ; "
        f"nDCG@10 takes {taken:.1%} for granted.",
        "Look at the first results: users hardly go further down, so only a version that changes these is noticed.",
    )


def _weight_of_differing(teams: tuple[str, ...]) -> float:
    discounts = 1 / np.log2(np.arange(2, min(len(teams), _DEPTH) + 2))
    differs = np.array([bool(team) for team in teams[:_DEPTH]])
    return float(discounts[differs].sum() / discounts.sum())
