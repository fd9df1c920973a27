"""How often experiments without any difference find one, when they are looked at all the time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from ab_testing.decide.evidence import HARM_ALPHA, weigh
from ab_testing.decide.rules import decide
from ab_testing.metrics.choice import metrics_of
from ab_testing.stats.sequential import Hybrid, one_sided_critical_value
from benchmarks.experiments.bars import Bar, share_bar
from benchmarks.experiments.simulate import Audience, Numbers, Stream, Traces, draw, look_at, trace

LOOKS = 300
RUNS = 1000
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


class Found:
    """What one experiment found at any of its looks."""

    def __init__(self, audience: Audience, stream: Stream, looks: int) -> None:
        traces = trace(audience, stream, looks)
        ends = [int(traces.searches[place]) for place in extremes(audience, traces)]
        seen = [weigh(audience.plan, look_at(audience, stream, searches))[0] for searches in ends]
        self.gain = any(one.superior for one in seen)
        self.harm = any(one.harmful for one in seen)
        self.finding = self.gain or self.harm or any(one.inferior for one in seen)
        self.naive = bool((np.abs(traces.z) > 1.959964).any())
        end = look_at(audience, stream, audience.searches)
        self.silent = weigh(audience.plan, end)[0].estimate is None
        if not decide(audience.plan, [end]).final:
            raise AssertionError("every experiment is decided at its planned end")


def false_findings(seed: int, quick: bool) -> list[Bar]:
    """Return four bars a scenario: findings at any look, promotions, rollbacks, ends without evidence."""
    runs = QUICK_RUNS if quick else RUNS
    return [bar for name, audience in SCENARIOS.items() for bar in _bars(name, audience, seed, runs)]


def _bars(name: str, audience: Audience, seed: int, runs: int) -> Iterator[Bar]:
    children = np.random.SeedSequence([seed, *name.encode()]).spawn(runs)
    found = [Found(audience, draw(np.random.default_rng(child), audience), LOOKS) for child in children]
    naive = sum(one.naive for one in found) / runs
    looked = f"A/A {name}, {LOOKS} looks"
    counted = (
        ("findings", f"{looked}: found at any look; z-test at each look: {naive:.2f}", "finding", 0.05),
        ("promotions", f"{looked}: promoted", "gain", 0.025),
        ("rollbacks", f"{looked}: rolled back", "harm", 0.01),
        ("silent", f"{looked}: ended without evidence", "silent", 0.02),
    )
    for kind, what, field, bound in counted:
        total = sum(getattr(one, field) for one in found)
        yield share_bar(f"ab.false_{kind}.{name}", what, total, runs, bound)


def extremes(audience: Audience, traces: Traces) -> set[int]:
    """Return the end, and the looks that come nearest to a gain, a loss, and proven harm."""
    running, harm = _bounds(audience, tuple(traces.searches.tolist()))
    normal = np.nan_to_num(traces.normal)
    nearest = (margin.argmax() for margin in (normal - running, -normal - running, -normal - harm))
    return {len(normal) - 1, *map(int, nearest)}


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
