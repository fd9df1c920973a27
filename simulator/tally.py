"""What a simulation has done so far."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from simulator.quality import ndcg


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of a simulation, at one moment; clicks and other events are those that the service accepted.

    Attributes:
        failed: Requests that got no answer, however often tried, or a server error.
        refused: Requests and single events that the service called wrong.
        retried: Attempts repeated because the service was away or overloaded; not failures.
        versions: Searches by the version that answered, and `arms` by its arm.
        ndcg: Points (searches so far, mean nDCG@10 of the lists shown since the point before).
    """

    searches: int = 0
    clicks: int = 0
    events_sent: int = 0
    failed: int = 0
    refused: int = 0
    retried: int = 0
    versions: Mapping[str, int] = field(default_factory=dict)
    arms: Mapping[str, int] = field(default_factory=dict)
    ndcg: tuple[tuple[int, float], ...] = ()


class Counting:
    """Keeps a tally that several threads write; `window` searches make a point of quality over time."""

    def __init__(
        self,
        judgments: Mapping[str, Mapping[str, int]],
        window: int,
        retried: Callable[[], int],
        on_progress: Callable[[Tally], None],
    ) -> None:
        self._judgments = judgments
        self._window = window
        self._retried = retried
        self._on_progress = on_progress
        self._lock = threading.RLock()
        self._counts: Counter[str] = Counter()
        self._versions: Counter[str] = Counter()
        self._arms: Counter[str] = Counter()
        self._shown: list[tuple[str, list[str]]] = []
        self._points: list[tuple[int, float]] = []

    def add(self, name: str) -> None:
        """Add one to one of the tally's plain counts."""
        with self._lock:
            self._counts[name] += 1
            self._on_progress(self.read())

    def reported(self, events: int, clicks: int, refused: int) -> None:
        """Count the events of one visit: those taken, the clicks among them, and those refused."""
        with self._lock:
            self._counts.update(events_sent=events, clicks=clicks, refused=refused)
            self._on_progress(self.read())

    def searched(self, query: str, shown: Sequence[str], version: str, arm: str) -> None:
        """Count an answered search and what it showed."""
        with self._lock:
            self._versions[version] += 1
            self._arms[arm] += 1
            self._shown.append((query, list(shown)))
            if len(self._shown) >= self._window:
                self._points.append((self._counts["searches"] + 1, self._quality()))
                self._shown.clear()
            self.add("searches")

    def read(self) -> Tally:
        """Return the tally as it is now; a last, shorter window is not in its quality yet."""
        with self._lock:
            return Tally(
                **self._counts,
                retried=self._retried(),
                versions=dict(self._versions),
                arms=dict(self._arms),
                ndcg=tuple(self._points),
            )

    def close(self) -> Tally:
        """Close the last window and return the tally."""
        with self._lock:
            if self._shown:
                self._points.append((self._counts["searches"], self._quality()))
                self._shown.clear()
            return self.read()

    def _quality(self) -> float:
        # One query is asked many times in a window, so each search is judged under its own number.
        judgments = {str(number): self._judgments[query] for number, (query, _) in enumerate(self._shown)}
        measured = ndcg(judgments, {str(number): shown for number, (_, shown) in enumerate(self._shown)})
        return fmean(measured.values()) if measured else 0.0
