"""What it takes to find out who takes part in an experiment and in which arm."""

from __future__ import annotations

from time import perf_counter

from ab_testing.design.assignment import bounds_of, choose_arm, position, takes_part

_SHARES = (0.5, 0.25, 0.25)
_BATCHES = 20


def measure_assignment(calls: int = 100_000) -> float:
    """Return the microseconds of one assignment: whether a unit takes part, and its arm; of the median batch."""
    bounds = bounds_of(_SHARES)
    units = [f"p-{number:040x}" for number in range(calls // _BATCHES)]
    took = sorted(_batch(units, bounds) for _ in range(_BATCHES))
    return 1e6 * took[_BATCHES // 2] / len(units)


def _batch(units: list[str], bounds: tuple[float, ...]) -> float:
    begun = perf_counter()
    for unit in units:
        if takes_part(position("shop/traffic", unit), 0.0, 1.0):
            choose_arm(bounds, position("019a0000-0000-7000-8000-000000000000/split/1", unit))
    return perf_counter() - begun
