"""How often experiments without any difference find one, when they are looked at all the time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ab_testing.decide.evidence import weigh
from ab_testing.decide.levels import HARM_ALPHA
from ab_testing.metrics.choice import metrics_of
from ab_testing.stats.sequential import Hybrid, fixed_critical_value, one_sided_critical_value
from benchmarks.experiments.bars import Bar, at_most, share_of
from benchmarks.experiments.simulate import Audience, Numbers, Stream, Trajectories, draw, look_at, mirror, trace

LOOKS = 300
RUNS = 4000
QUICK_RUNS = 25

SCENARIOS = {
    "ctr30": Audience(),
    "ctr03": Audience(rate=0.03, correlation=0.05),
    "csat": Audience(metric="csat"),
    "fcr": Audience(metric="resolution", rate=0.6),
    "interleaving": Audience(metric="preference"),
    "sigma10": Audience(sigma=1.0),
    "sigma18": Audience(sigma=1.8),
    "bursts": Audience(burst=8.0),
    "users60": Audience(users=60, searches=2000),
}


class Found(NamedTuple):
    """What one experiment found at any of its looks.

    Attributes:
        naive: Whether a z-test at the level 0.05 that is read at each look finds anything.
        silent: Whether it ended without evidence.
    """

    finding: bool
    gain: bool
    harm: bool
    naive: bool
    silent: bool


def false_findings(seed: int, quick: bool) -> list[Bar]:
    """Return four bars a scenario: findings at any look, promotions, rollbacks, ends without evidence.

    Each experiment counts twice, the second time with its arms exchanged.
    """
    return [bar for name, audience in SCENARIOS.items() for bar in _bars(name, audience, seed, quick)]


def _bars(name: str, audience: Audience, seed: int, quick: bool) -> Iterator[Bar]:
    runs = QUICK_RUNS if quick else RUNS
    found: list[Found] = []
    for child in np.random.SeedSequence([seed, *name.encode()]).spawn(runs):
        found.extend(_both_ways(audience, draw(np.random.default_rng(child), audience)))
    naive = share_of([one.naive for one in found]).value
    looked = f"{runs} A/A experiments {name}, {LOOKS} looks each"
    counted = (
        ("findings", f"{looked}: found at any look (by a z-test at each look: {naive:.2f})", "finding", 0.05),
        ("promotions", f"{looked}: promoted", "gain", 0.025),
        ("rollbacks", f"{looked}: rolled back", "harm", 0.01),
        ("silent", f"{looked}: ended without evidence", "silent", 0.02),
    )
    for kind, what, field, bound in counted:
        share = share_of([getattr(one, field) for one in found], runs)
        yield at_most(f"ab.false_{kind}.{name}", what, share, bound=bound, quick=quick)


def _both_ways(audience: Audience, stream: Stream) -> Iterator[Found]:
    """Yield what is found with the arms as they are, and exchanged."""
    traces = trace(audience, stream, LOOKS)
    naive = bool((np.abs(traces.z) > fixed_critical_value(0.05)).any())
    for one, seen in ((stream, traces), (mirror(audience, stream), traces.mirrored)):
        looks = [look_at(audience, one, int(seen.searches[place])) for place in extremes(audience, seen)]
        evidence = [weigh(audience.plan, look)[0] for look in looks]
        gain, harm = any(each.superior for each in evidence), any(each.harmful for each in evidence)
        finding = gain or harm or any(each.inferior for each in evidence)
        yield Found(finding, gain, harm, naive, evidence[-1].estimate is None)


def extremes(audience: Audience, traces: Trajectories) -> list[int]:
    """Return the looks that come nearest to a gain, a loss, and proven harm; the end is the last."""
    running, harm = _bounds(audience, tuple(traces.searches.tolist()))
    normal = np.nan_to_num(traces.normal)
    nearest = (margin.argmax() for margin in (normal - running, -normal - running, -normal - harm))
    return [*map(int, nearest), len(normal) - 1]


@lru_cache(maxsize=32)
def _bounds(audience: Audience, searches: tuple[int, ...]) -> tuple[Numbers, Numbers]:
    """Return what the normal value must pass at each look, for a finding and for proven harm."""
    plan = audience.plan
    harm_alpha, planned = HARM_ALPHA / len(metrics_of(plan)), plan.planned_searches
    running = Hybrid(plan.alpha, planned)
    return (
        np.array([running.running_critical_value(n) for n in searches]),
        np.array([one_sided_critical_value(n, planned, harm_alpha) for n in searches]),
    )
