"""What is asked of an experiment's run, and in which shape it is answered (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

UnitTable = dict[str, dict[tuple[int, int], int]]
"""arm -> (x, y) -> number of units with these totals; without units seen in more than one arm, and those with y 0."""

Sum = tuple[tuple[str, int], ...]
"""Signals, each with the factor by which it is multiplied before all are added.

Base signals by their names; of custom events NAME.searches, NAME.events and NAME.value.
"""


class ExperimentRun(NamedTuple):
    """One start of an experiment."""

    collection: str
    experiment: str
    run: int


class Ratio(NamedTuple):
    """A ratio of sums over the searches of a unit.

    Attributes:
        until_day: The last day whose searches count, all days when None.
    """

    name: str
    numerator: Sum
    denominator: Sum
    until_day: int | None = None


class UnitCounts(NamedTuple):
    """Who took part.

    Attributes:
        units: Units by arm.
        mixed: Units that were seen in more than one arm; they count nowhere else.
        searches: Searches by arm.
        segments: Units by arm, surface, and whether all their searches named the user; each unit once, one of several
            surfaces under the first by name.
    """

    units: dict[str, int]
    mixed: int
    searches: dict[str, int]
    segments: dict[tuple[str, str, bool], int]


class UnitTotals(NamedTuple):
    """What the searches of one unit add up to: numerator and denominator of a ratio."""

    unit: str
    arm: str
    x: int
    y: int


class RunTotals(Protocol):
    """What the searches of a run add up to."""

    @property
    def change(self) -> int:
        """The position of the log that this is as of."""

    def tabulate(self, ratios: Sequence[Ratio], had_evidence: bool | None = None) -> dict[str, UnitTable]:
        """Return how many units have which totals, by the name of the ratio.

        Args:
            had_evidence: Count only searches whose query had live evidence, or had none; all when None.
        """

    def per_unit(self, ratio: Ratio) -> Iterator[UnitTotals]:
        """Yield what `tabulate` counts, one unit at a time in no order."""

    def units(self) -> UnitCounts:
        """Return who took part."""

    def latencies(self) -> dict[str, dict[int, int]]:
        """Return how many searches of each arm lie in which bucket; see `collector.fold.signals.latency_bucket`."""

    def below(self, bounds: Mapping[str, int]) -> UnitTable:
        """Return how many units have which numbers of searches in buckets below their arm's bound, and in any.

        Args:
            bounds: By arm; other arms are left out.
        """
