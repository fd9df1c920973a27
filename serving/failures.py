"""Versions that did not load, and when each is tried again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

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
    """The versions of one collection that did not load; one thread writes, any read.

    A stamp is whatever changes when one of a version's artifacts does.

    Args:
        now_s: The machine's time.
    """

    def __init__(self, now_s: Callable[[], float] = monotonic_s) -> None:
        self._now_s = now_s
        self._failed: dict[str, _Failure] = {}

    def note(self, version: str, problem: str, stamp: tuple[str, ...]) -> None:
        """Remember that a version did not load: it is tried again after a pause, twice as long as the last."""
        before = self._failed.get(version)
        pause_s = min(2 * before.pause_s, _LONGEST_PAUSE_S) if before else _FIRST_PAUSE_S
        now_s = self._now_s()
        self._failed[version] = _Failure(problem, stamp, pause_s, now_s + pause_s, now_s + _LOOK_EVERY_S)

    def forget(self, version: str) -> None:
        """Forget that a version did not load: it does, or is to be tried at once."""
        self._failed.pop(version, None)

    def keep(self, versions: Collection[str]) -> None:
        """Forget all versions but these."""
        for version in self._failed.keys() - set(versions):
            self.forget(version)

    def is_due(self, version: str, stamp: Callable[[], tuple[str, ...]]) -> bool:
        """Return whether a version may be tried: it never failed, its pause is over, or its artifacts are others."""
        failure = self._failed.get(version)
        if failure is None or self._now_s() >= failure.again_at_s:
            return True
        if self._now_s() < failure.look_at_s:
            return False
        failure.look_at_s = self._now_s() + _LOOK_EVERY_S
        return stamp() != failure.stamp

    def problem(self, version: str) -> str:
        """Return why a version did not load, "" when it never failed."""
        failure = self._failed.get(version)
        return failure.problem if failure else ""
