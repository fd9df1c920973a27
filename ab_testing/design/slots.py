"""Which part of a collection's traffic an experiment takes, beside those that run already (pure)."""

from __future__ import annotations

from collections.abc import Iterable

from ab_testing.design.experiment import Experiment
from foundation.errors import Conflict

_ROUNDING = 1e-9


def free_slots(experiment: Experiment, running: Iterable[Experiment]) -> float:
    """Return where a part of the traffic begins that nobody else takes and that is as large as the plan's coverage.

    Raises:
        Conflict: There is none.
    """
    taken = sorted((one.slots_from, one.slots_from + one.plan.coverage) for one in running)
    start = 0.0
    for begin, end in [*taken, (1.0, 1.0)]:
        if begin - start >= experiment.plan.coverage - _ROUNDING:
            return start
        start = max(start, end)
    names = ", ".join(f"experiment {one.id} ({one.plan.name}, {one.plan.coverage:.0%})" for one in running)
    raise Conflict(
        f"{names} already runs in collection {experiment.collection!r} and leaves less than the "
        f"{experiment.plan.coverage:.0%} of traffic that this plan takes; stop it or plan less coverage"
    )
