"""What a simulation has done so far."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from statistics import fmean

from simulator.quality import ndcg


@dataclass(frozen=True, slots=True)
class Experience:
    """What users did with the lists that one version ranked alone.

    Attributes:
        clicked: Searches with a click.
        stars: Sum of the ratings.
    """

    searches: int = 0
    clicked: int = 0
    ratings: int = 0
    stars: int = 0

    @property
    def click_rate(self) -> float:
        """The share of searches with a click."""
        return self.clicked / max(self.searches, 1)

    @property
    def csat(self) -> float:
        """The mean rating in stars, 0.0 where nobody rated."""
        return self.stars / max(self.ratings, 1)

    def plus(self, other: Experience) -> Experience:
        """Return both together."""
        return Experience(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of a simulation, at one moment; clicks and other events are those that the service accepted.

    Attributes:
        failed: Requests that got no answer, however often tried, or a server error.
        refused: Requests and single events that the service called wrong.
        retried: Attempts repeated because the service was away or overloaded; not failures.
        versions: Searches by the version that answered, and `arms` by its arm.
        experiences: What users did with the lists that one version ranked alone, by version.
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
    experiences: Mapping[str, Experience] = field(default_factory=dict)
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
        self._experiences: defaultdict[str, Experience] = defaultdict(Experience)
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

    def experienced(self, version: str, experience: Experience) -> None:
        """Count what the user of one list did, which `version` ranked alone."""
        with self._lock:
            self._experiences[version] = self._experiences[version].plus(experience)

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
                experiences=dict(self._experiences),
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
