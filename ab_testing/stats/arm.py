"""What is counted in one arm of an experiment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ab_testing.stats.ratio import RatioStatistics


@dataclass(frozen=True, slots=True)
class ArmStatistics:
    """Sufficient statistics of one arm since the start.

    Attributes:
        click_rate: Per unit, x searches with at least one click of y searches.
        preference: Per unit, x the weights of searches won minus lost by the treatment, of y those of
            all interleaved searches that offered a choice; empty in other arms.
        wins: Interleaved searches whose clicks preferred the treatment.
        losses: Those whose clicks preferred the control.
        ties: Those that offered a choice and preferred neither.
    """

    click_rate: RatioStatistics = field(default_factory=RatioStatistics)
    clicks: int = 0
    preference: RatioStatistics = field(default_factory=RatioStatistics)
    wins: int = 0
    losses: int = 0
    ties: int = 0

    @property
    def units(self) -> int:
        """Distinct units that searched."""
        return self.click_rate.n

    @property
    def searches(self) -> int:
        """Searches answered."""
        return int(self.click_rate.sum_y)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ArmStatistics:
        """Return the statistics that `asdict` wrote."""
        ratios = {name: RatioStatistics(**value[name]) for name in ("click_rate", "preference")}
        return cls(**{**value, **ratios})
