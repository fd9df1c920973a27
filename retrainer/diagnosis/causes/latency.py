"""Whether the new ranking takes so long that users leave what it gains (pure)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collector.api import RunList
from foundation.arrays import Doubles, Ints
from retrainer.diagnosis.evidence import NO_GAIN, VersionEvidence
from retrainer.diagnosis.finding import MATERIAL_LOSS, BoundedValue, CauseFinding, find, lack
from retrainer.diagnosis.intervals import (
    MIN_CLUSTERS,
    Interval,
    number_clusters,
    standard_error_of_ratio,
    student,
    sum_by,
)

_ROUNDING = 1e-12


def examine(seen: VersionEvidence) -> CauseFinding:
    """Return what the time that the new ranking takes costs in clicks, against the gain that the gate expects in them.

    Within one arm and one query, slow searches are compared with quick ones. By how much fewer of them have a click,
    times by how much longer the new ranking takes, is the cost.
    """
    if seen.gate is None:
        return lack("latency", NO_GAIN + ".", "")
    arms = (seen.split.control, seen.split.treatment) if seen.split else ()
    timed = (
        [[one for one in seen.split.lists if one.arm == arm and one.took_ms > 0] for arm in arms] if seen.split else []
    )
    if not timed or min(len({one.unit for one in some}) for some in timed) < MIN_CLUSTERS:
        return lack(
            "latency",
            "no A/B test timed this version and the one before it on enough users; in interleaved lists both take "
            "their time together.",
            "Start an A/B test with it.",
        )
    control, treatment = timed
    cost = cost_in_clicks(control, treatment)
    if cost is None:
        return lack("latency", "searches for the same query took the same time always, so their cost is unknown.", "")
    gain = float(np.mean([bool(one.clicked) for one in control])) * seen.gate.change / seen.gate.champion_ndcg
    before, after = (math.exp(float(np.mean([math.log(one.took_ms) for one in some]))) for some in timed)
    return find(
        "latency",
        "click rate lost by the time that the new ranking takes",
        BoundedValue(*cost, MATERIAL_LOSS * gain, "above"),
        f"the new ranking takes {after:.0f} ms and the one before {before:.0f} ms, which costs {cost.value:+.2%} of "
        f"click rate; the gate's gain would bring {gain:+.2%}.",
        "Make the version quicker (fewer candidates, no reranking), or give it more processors.",
    )


@dataclass(frozen=True, slots=True)
class _Slope:
    """How the chance of a click changes with the logarithm of the time."""

    value: float
    error: float


def cost_in_clicks(control: Sequence[RunList], treatment: Sequence[RunList]) -> Interval | None:
    """Return the click rate that is lost by the difference in time, above 0 where the treatment's loses some.

    None where times never vary under a query.

    The errors of the slope and of the difference, both clustered by user, are independent to the first order.
    """
    slope = _slope([*control, *treatment])
    if slope is None:
        return None
    (quick, quick_error, quick_units), (slow, slow_error, slow_units) = map(_mean_log_ms, (control, treatment))
    difference, error = slow - quick, math.hypot(quick_error, slow_error)
    spread = math.hypot(difference * slope.error, slope.value * error)
    return student(-slope.value * difference, spread, min(quick_units, slow_units) - 1)


def _mean_log_ms(lists: Sequence[RunList]) -> tuple[float, float, int]:
    units = number_clusters([one.unit for one in lists])
    logs, counts = sum_by(units, np.log([one.took_ms for one in lists])), sum_by(units, np.ones(len(lists)))
    return float(logs.sum() / counts.sum()), standard_error_of_ratio(logs, counts), len(counts)


def _slope(lists: Sequence[RunList]) -> _Slope | None:
    """Return the slope within arm and query, by least squares, with an error that is clustered by user."""
    places = number_clusters([(one.arm, one.query_key) for one in lists])
    x = _centred(np.log([one.took_ms for one in lists]), places)
    y = _centred(np.array([bool(one.clicked) for one in lists], dtype=np.float64), places)
    squares = float(x @ x)
    if squares < _ROUNDING * len(lists):
        return None
    value = float(x @ y) / squares
    scores = sum_by(number_clusters([one.unit for one in lists]), x * (y - value * x))
    return _Slope(value, math.sqrt(float(scores @ scores)) / squares)


def _centred(values: Doubles, places: Ints) -> Doubles:
    means = np.bincount(places, values) / np.bincount(places)
    return np.asarray(values - means[places], dtype=np.float64)
