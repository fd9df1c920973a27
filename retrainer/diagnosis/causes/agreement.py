"""Whether what the gate measures has come true for past versions (pure)."""

from __future__ import annotations

import numpy as np

from foundation.arrays import Doubles
from retrainer.diagnosis.evidence import MIN_PAST, VersionEvidence
from retrainer.diagnosis.finding import MATERIAL_LOSS, BoundedValue, CauseFinding, find, lack
from retrainer.diagnosis.intervals import Interval, critical


def examine(seen: VersionEvidence) -> CauseFinding:
    """Return which share of the gains that the gate expected of past versions their experiments measured."""
    if len(seen.past) < MIN_PAST:
        have = "version has" if len(seen.past) == 1 else "versions have"
        return lack(
            "agreement",
            f"{len(seen.past)} past {have} both a gate's figure and an experiment; {MIN_PAST} are needed.",
            "Prove further versions by experiments, those too that promise little.",
        )
    arrived = np.array([one.estimate / one.expected for one in seen.past])
    errors = np.array([one.standard_error / one.expected for one in seen.past])
    share = pool(arrived, errors)
    return find(
        "agreement",
        "share of the gate's gains that experiments measured, over past versions",
        BoundedValue(*share, 1 - MATERIAL_LOSS, "below"),
        f"of the gains that the gate expected of {len(arrived)} past versions, their experiments measured "
        f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%}).",
        "Do not choose by this metric alone: look at what satisfied users did (ratings, conversions), and judge by "
        "queries and labels nearer to it.",
    )


def pool(values: Doubles, errors: Doubles) -> Interval:
    """Return the mean of several measurements of different precision, and its interval.

    Random effects with the variance between them by DerSimonian and Laird (1986), and the interval by Hartung, Knapp,
    Sidik and Jonkman (Sidik and Jonkman 2002), never narrower than that of measurements that agree.

    Args:
        values: Shape (n,), two at least.
        errors: Their standard errors, shape (n,).
    """
    fixed, degrees = errors**-2.0, len(values) - 1
    spread = float(fixed @ (values - np.average(values, weights=fixed)) ** 2)
    freed = fixed.sum() - (fixed**2).sum() / fixed.sum()
    between = max((spread - degrees) / freed, 0.0)
    weights = 1 / (errors**2 + between)
    mean = float(np.average(values, weights=weights))
    variance = float(weights @ (values - mean) ** 2) / degrees / weights.sum()
    half_width = critical(degrees) * max(variance, 1 / weights.sum()) ** 0.5
    return Interval(mean, mean - half_width, mean + half_width)
