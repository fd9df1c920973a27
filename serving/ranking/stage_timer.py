"""A stopwatch for the stages of one search."""

from __future__ import annotations

from time import perf_counter


class StageTimer:
    """Time by stage in seconds, each from the end of the one before; equal names add up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = self._begun = perf_counter()

    def end(self, stage: str) -> None:
        """End a stage, and begin the next."""
        now = perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._since
        self._since = now

    @property
    def total_s(self) -> float:
        """Seconds since the begin, to the last end of a stage."""
        return self._since - self._begun
