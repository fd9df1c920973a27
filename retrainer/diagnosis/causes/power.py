"""Whether the experiment was large enough to find the gain that the gate expects (pure)."""

from __future__ import annotations

import math

from scipy.special import chdtri

from retrainer.diagnosis.effects import MeasuredEffect
from retrainer.diagnosis.evidence import NO_GAIN, VersionEvidence
from retrainer.diagnosis.finding import LEVEL, BoundedValue, CauseFinding, find, lack
from retrainer.diagnosis.intervals import Interval, student

_WHAT = "chance that the experiment finds the gain that the gate expects"
_PLAN = "Plan one with `clickloop experiment plan`, and start it"


def examine(seen: VersionEvidence) -> CauseFinding:
    """Return whether the experiment's power explains the missing gain: named where it is below what is usual."""
    if seen.gate is None:
        return lack("power", NO_GAIN + ".", "")
    if seen.effect is None:
        return lack("power", "no experiment has measured this version on enough users.", f"{_PLAN}.")
    effect, chance = seen.effect, chance_to_find(seen.effect)
    told = (
        f"had the version gained what the gate expects (nDCG@10 {seen.gate.change:+.3f}), its {effect.searches:,} "
        f"searches would have shown it with a chance of {chance.value:.0%}"
    )
    bound = effect.trial.power
    if effect.found or _excludes_gain(effect):
        ended = "the experiment found a difference" if effect.found else "the experiment rules out a gain of that size"
        settled = BoundedValue(1.0, 1.0, 1.0, bound, "below")
        return find("power", _WHAT, settled, f"{ended}, so it was large enough.", "")
    growth = effect.trial.growth_needed(effect.standard_error, effect.units, effect.expected)
    needed = math.ceil(effect.searches * growth)
    return find(
        "power",
        _WHAT,
        BoundedValue(*chance, bound, "below"),
        f"{told}; {bound:.0%} are usual.",
        f"Run it until it has about {needed:,} searches. {_PLAN} with a larger part of the traffic or more days.",
    )


def chance_to_find(effect: MeasuredEffect) -> Interval:
    """Return the chance to find what is expected; its ends are those of the standard error by chi-squared."""
    degrees = max(effect.units - 1, 1)
    chances = [
        effect.trial.chance_by(effect.standard_error * math.sqrt(degrees / squares), effect.units, effect.expected)
        for squares in (degrees, float(chdtri(degrees, 1 - LEVEL)), float(chdtri(degrees, LEVEL)))
    ]
    return Interval(*chances)


def _excludes_gain(effect: MeasuredEffect) -> bool:
    return student(effect.estimate, effect.standard_error, max(effect.units - 1, 1)).high < effect.expected
