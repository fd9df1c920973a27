"""What the freedom to look costs: power beside a test that is read once, and how early a large effect ends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ab_testing.decide.evidence import weigh
from ab_testing.stats.sequential import Hybrid, fixed_p_value
from benchmarks.experiments.bars import Bar, Figure, at_least, at_most, mean_of
from benchmarks.experiments.simulate import Audience, Stream, draw, look_at, trace, with_effect

LOOKS = 100
RUNS = 2000
QUICK_RUNS = 60

SCENARIOS = {
    "ctr30": Audience(),
    "csat": Audience(metric="csat"),
    "fcr": Audience(metric="resolution", rate=0.6),
    "interleaving": Audience(metric="preference"),
    "sigma18": Audience(sigma=1.8),
}


def power(seed: int, quick: bool) -> list[Bar]:
    """Return two bars a scenario: power relative to the fixed test's, and the mean stop at twice the effect."""
    return [bar for name, audience in SCENARIOS.items() for bar in _bars(name, audience, seed, quick)]


def _bars(name: str, audience: Audience, seed: int, quick: bool) -> Iterator[Bar]:
    runs, planned = (QUICK_RUNS if quick else RUNS), with_effect(audience, seed)
    ours, fixed = np.array([_powers(planned, stream) for stream in _streams(planned, seed, runs)], dtype=float).T
    rate, beside = float(ours.mean()), float(fixed.mean())
    lost = mean_of(ours - fixed * rate / beside)
    what = f"{name}: power {rate:.3f} under {LOOKS} looks, {beside:.3f} by one fixed test on the same {runs} streams"
    relative = Figure(rate / beside, lost.error / beside)
    yield at_least(f"ab.power.{name}", what, relative, bound=0.95, quick=quick)
    large = replace(planned, effect=2 * planned.effect)
    stops = mean_of([_stop(large, stream) for stream in _streams(large, seed + 1, runs)])
    what = f"{name}: mean share of the planned searches until the end at twice the effect, {runs} runs"
    yield at_most(f"ab.early_stop.{name}", what, stops, bound=0.4, quick=quick)


def _streams(audience: Audience, seed: int, runs: int) -> Iterator[Stream]:
    for child in np.random.SeedSequence(seed).spawn(runs):
        yield draw(np.random.default_rng(child), audience)


def is_found(audience: Audience, stream: Stream, looks: int = LOOKS) -> bool:
    """Return whether a gain is proven at any look."""
    if _first_gain(audience, stream, looks) is not None:
        return True
    return weigh(audience.plan, look_at(audience, stream, audience.searches))[0].superior


def _powers(audience: Audience, stream: Stream) -> tuple[bool, bool]:
    """Return whether a gain is proven at any look, and by the fixed test at the end."""
    traces = trace(audience, stream, LOOKS)
    plan = audience.plan
    fixed = traces.z[-1] > 0 and fixed_p_value(float(traces.z[-1]), float(traces.degrees[-1])) <= plan.alpha
    return is_found(audience, stream), bool(fixed)


def _stop(audience: Audience, stream: Stream) -> float:
    """Return the share of the planned searches at which a gain is proven, 1 at the latest."""
    early = _first_gain(audience, stream)
    return 1.0 if early is None else early / audience.searches


def _first_gain(audience: Audience, stream: Stream, looks: int = LOOKS) -> int | None:
    """Return the searches by which a gain is proven before the end; the product's own test confirms it."""
    traces = trace(audience, stream, looks)
    test = Hybrid(audience.plan.alpha, audience.searches)
    bounds = np.array([test.running_critical_value(n) for n in traces.searches.tolist()])
    places = np.flatnonzero(np.nan_to_num(traces.normal) > bounds)
    if not len(places) or places[0] == looks - 1:
        return None
    searches = int(traces.searches[places[0]])
    if not weigh(audience.plan, look_at(audience, stream, searches))[0].superior:
        raise AssertionError("the simulation and the product compute the same test")
    return searches
