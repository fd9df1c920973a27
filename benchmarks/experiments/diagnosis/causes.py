"""Whether a diagnosis names what was planted first, and nothing where nothing was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from benchmarks.experiments.diagnosis.scenarios import SCENARIOS, Before, live_before, play
from benchmarks.harness.report import Bar, Findings, at_least

SEEDS, QUICK_SEEDS = 10, 1
_BOUND = 0.9


@dataclass(frozen=True, slots=True)
class NamedCauses:
    """What a diagnosis named where a cause was planted; nothing planted is the empty cause."""

    planted: str
    named: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether it named the planted cause first, or nothing where there was none."""
        return self.named[:1] == ((self.planted,) if self.planted else ())


def diagnosis(seed: int, quick: bool) -> Findings:
    """Return a bar for each cause and one for versions without any; and which causes were named wrongly, how often."""
    found = [
        one
        for number in range(QUICK_SEEDS if quick else SEEDS)
        for one in play_all(np.random.SeedSequence([seed, number]))
    ]
    bars = [_bar(cause, [one for one in found if one.planted == cause]) for cause in SCENARIOS]
    also = Counter(
        f"{cause} where {one.planted or 'nothing'} was planted"
        for one in found
        for cause in one.named
        if cause != one.planted
    )
    return Findings(bars, {"also_named": dict(also)})


def play_all(seed: np.random.SeedSequence) -> list[NamedCauses]:
    """Return what is named in each scenario; those that share a past share its store."""
    drawn = [np.random.default_rng(child) for child in seed.spawn(2 * len(SCENARIOS))]
    pasts: dict[tuple[object, ...], Before] = {}
    found = []
    with ExitStack() as open_pasts:
        for (cause, plant), random, past in zip(SCENARIOS.items(), drawn[::2], drawn[1::2], strict=True):
            planted = plant(random)
            if planted.before not in pasts:
                pasts[planted.before] = open_pasts.enter_context(live_before(planted, past))
            found.append(NamedCauses(cause, play(planted, pasts[planted.before], random).named))
    return found


def _bar(cause: str, found: Sequence[NamedCauses]) -> Bar:
    share = sum(one.right for one in found) / len(found)
    what = f"{cause.replace('_', ' ')} named first where it was planted" if cause else "nothing named where all is well"
    return at_least(f"ab.diagnosis_{cause or 'clean'}", f"share of {len(found)} worlds, {what}", share, _BOUND)
