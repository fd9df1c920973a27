"""The first arm that people were seen in, so that nobody changes arm by logging in."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable

from ab_testing.design.assignment import Visitor
from ab_testing.design.experiment import Experiment

MAX_KEPT_ARMS = 100_000
"""Units whose first arm is remembered."""


class FirstArms:
    """The first arm that units of kind "user" were seen in, the latest units only. Safe for many threads.

    A person who searches without a name and then logs in stays in the arm of the nameless visit. Another process knows
    of the visit as soon as the collector has its list.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, str], int] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, experiment: Experiment, visitor: Visitor) -> int | None:
        """Return the arm that a named user was first seen in: under the name, else in this visit before it."""
        if experiment.plan.unit != "user" or not visitor.user:
            return None
        user, visit = ((experiment.id, experiment.run, name) for name in (visitor.user, visitor.session))
        with self._lock:
            arm = self._kept.get(user, self._kept.get(visit))  # no unit is called ""
            if arm is not None:
                self._put(user, arm)
        return arm

    def keep(self, experiment: Experiment, unit: str, arm: int) -> None:
        """Remember the arm of a unit."""
        if experiment.plan.unit == "user":
            with self._lock:
                self._put((experiment.id, experiment.run, unit), arm)

    def learn(self, experiment: Experiment, seen: Iterable[tuple[str, int]]) -> None:
        """Remember the arms of units, of those that are not remembered yet."""
        with self._lock:
            for unit, arm in seen:
                key = (experiment.id, experiment.run, unit)
                if key not in self._kept:
                    self._put(key, arm)

    def _put(self, key: tuple[str, int, str], arm: int) -> None:
        self._kept[key] = arm
        self._kept.move_to_end(key)
        if len(self._kept) > MAX_KEPT_ARMS:
            self._kept.popitem(last=False)
