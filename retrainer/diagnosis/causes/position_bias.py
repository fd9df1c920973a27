"""Whether the labels still hold the ranks at which results were shown (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from collector.api import RunList
from foundation.contracts import ClickCurve
from retrainer.diagnosis.causes.lists import DRAFT_ONE, NO_DRAFT
from retrainer.diagnosis.evidence import VersionEvidence
from retrainer.diagnosis.finding import MATERIAL_LOSS, BoundedValue, CauseFinding, find, lack
from retrainer.diagnosis.intervals import MIN_CLUSTERS, Interval, number_clusters, ratio_of


def examine(seen: VersionEvidence) -> CauseFinding:
    """Return how much less relevant a result counts where chance put it lower, by the curve that read the labels.

    Chance decides which of two results stands higher in an interleaved list, so the same result under the same query is
    as relevant in both places. What the curve leaves of the difference between their clicks is position bias; of the
    other sign, too much of it was taken away.
    """
    pairs = list(read_pairs(seen.interleaved, seen.curve))
    if len({one.query_key for one in pairs}) < MIN_CLUSTERS:
        why = "too few results were shown at several ranks by chance." if seen.interleaved else NO_DRAFT
        return lack("position_bias", why, "Let its experiment run on." if seen.interleaved else DRAFT_ONE)
    ratio = relevance_below(pairs)
    part = (_inverse(ratio) if ratio.value > 1 else ratio).complement()
    counts = "more" if ratio.value > 1 else "less"
    return find(
        "position_bias",
        "share of a label that is lost, or won, where the same result stands twice as far down",
        BoundedValue(*part, MATERIAL_LOSS, "above"),
        f"the same result counts {abs(ratio.value - 1):.0%} {counts} where it stood twice as far down, by "
        f"{len(pairs):,} results that chance put at several ranks; labels without position bias count it alike.",
        "Train again, so that the click curve is fitted anew, now that interleaved lists tell how far users look; see "
        "GET /v1/reports/propensity.",
    )


class ShownTwice(NamedTuple):
    """A result that chance put at several ranks under one query.

    Attributes:
        high: Relevance that its clicks at the better ranks imply.
        low: At the others.
        weight: How much both are worth together.
        further: How much further down the others are: the logarithm of the ratio of the mean ranks.
    """

    query_key: str
    high: float
    low: float
    weight: float
    further: float


def relevance_below(pairs: Sequence[ShownTwice]) -> Interval:
    """Return the relevance that results have twice as far down, as a share of what they have above.

    Between the two sides of each pair it falls by a power of the rank, the same for all.
    """
    high, low, weight, further = (np.array([one[place] for one in pairs]) for place in range(1, 5))
    above = float(high @ weight)
    if above <= 0:
        return Interval(1.0, 0.0, np.inf)
    ratio = ratio_of(low * weight, high * weight, number_clusters([one.query_key for one in pairs]))
    doublings = float((high * weight) @ further) / above / np.log(2)
    return Interval(*(max(one, 0.0) ** (1 / doublings) for one in ratio))


def read_pairs(lists: Sequence[RunList], curve: ClickCurve) -> Iterator[ShownTwice]:
    """Yield the results at several ranks, of lists with a click; only of these it is known that somebody looked.

    Relevance is fitted by least squares to clicks = other + relevance * (relevant - other) with the curve's
    probabilities at each rank.
    """
    shown: dict[tuple[str, str], list[tuple[int, bool]]] = defaultdict(list)
    for one in lists:
        for rank, (document, team) in enumerate(zip(one.documents, one.teams, strict=True), start=1):
            if team and one.clicked:
                shown[one.query_key, document].append((rank, rank in one.clicked))
    for (key, _), seen in shown.items():
        ranks = [rank for rank, _ in seen]
        middle = (min(ranks) + max(ranks)) / 2
        sides = [[one for one in seen if one[0] <= middle], [one for one in seen if one[0] > middle]]
        if all(sides):
            (high, much), (low, little) = (_fit(some, curve) for some in sides)
            ranks_apart = [np.mean([rank for rank, _ in some]) for some in sides]
            further = float(np.log(ranks_apart[1] / ranks_apart[0]))
            yield ShownTwice(key, high, low, much * little / (much + little), further)


def _fit(seen: Sequence[tuple[int, bool]], curve: ClickCurve) -> tuple[float, float]:
    """Return the relevance that clicks by rank imply, and how much is known of it."""
    said = known = 0.0
    for rank, clicked in seen:
        place = min(rank, len(curve.relevant)) - 1
        steep = curve.relevant[place] - curve.other[place]
        said += steep * (clicked - curve.other[place])
        known += steep**2
    return said / known, known


def _inverse(ratio: Interval) -> Interval:
    return Interval(1 / ratio.value, 1 / ratio.high, 1 / ratio.low if ratio.low > 0 else np.inf)
