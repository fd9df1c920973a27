"""What failed (versions that did not load, collections that could not be followed), and when each is tried again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from math import inf

from foundation.clock import monotonic_s

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_LOOK_EVERY_S = 1.0


@dataclass(slots=True)
class _Failure:
    problem: str
    stamp: tuple[str, ...]
    pause_s: float
    again_at_s: float
    look_at_s: float


class Failures:
    """Failures by name: of the versions of one collection, or of collections. One thread writes, any read.

    A stamp changes when one of a version's artifacts does. Without a stamp, only the pause counts.
    """

    def __init__(self, now_s: Callable[[], float] = monotonic_s) -> None:
        self._now_s = now_s
        self._failed: dict[str, _Failure] = {}

    def note(self, name: str, problem: str, stamp: tuple[str, ...] = ()) -> None:
        """Remember that something failed: it is tried again after a pause, twice as long as the last."""
        before = self._failed.get(name)
        pause_s = min(2 * before.pause_s, _LONGEST_PAUSE_S) if before else 0.0
        pause_s = pause_s or _FIRST_PAUSE_S
        now_s = self._now_s()
        self._failed[name] = _Failure(
            problem=problem, stamp=stamp, pause_s=pause_s, again_at_s=now_s + pause_s, look_at_s=now_s + _LOOK_EVERY_S
        )

    def defer(self, name: str, reason: str) -> None:
        """Remember that something is not ready yet, and why; it is tried again soon."""
        self._failed[name] = _Failure(
            problem=reason, stamp=(), pause_s=0.0, again_at_s=self._now_s() + _LOOK_EVERY_S, look_at_s=inf
        )

    def forget(self, name: str) -> None:
        """Forget that something failed: it went well, or is to be tried at once."""
        self._failed.pop(name, None)

    def keep(self, names: Collection[str]) -> None:
        """Forget all but these."""
        for name in self._failed.keys() - set(names):
            self.forget(name)

    def is_due(self, name: str, stamp: Callable[[], tuple[str, ...]] = tuple) -> bool:
        """Return whether something may be tried: it never failed, its pause is over, or its artifacts changed."""
        failure = self._failed.get(name)
        if failure is None or self._now_s() >= failure.again_at_s:
            return True
        if self._now_s() < failure.look_at_s:
            return False
        failure.look_at_s = self._now_s() + _LOOK_EVERY_S
        return stamp() != failure.stamp

    def problem(self, name: str) -> str:
        """Return why something failed, "" when it did not."""
        failure = self._failed.get(name)
        return failure.problem if failure else ""

    def problems(self) -> dict[str, str]:
        """Return why, by the name of what failed."""
        return {name: failure.problem for name, failure in sorted(self._failed.copy().items())}
