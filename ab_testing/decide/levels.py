"""The tests of a plan at one look: how sure they ask to be, while it runs and at its planned end."""

from __future__ import annotations

from dataclasses import dataclass

from ab_testing.decide.look import Look
from ab_testing.design.plan import ExperimentPlan
from ab_testing.metrics.choice import metrics_of
from ab_testing.stats.ratio import Estimate
from ab_testing.stats.sequential import (
    Hybrid,
    anytime_p_value,
    fixed_critical_value,
    fixed_p_value,
    normal_value,
    one_sided_critical_value,
    student_value,
)

HARM_ALPHA = 0.01
"""Largest probability that harmless treatments are ever rolled back, over all metrics and treatments."""


@dataclass(frozen=True, slots=True)
class Levels:
    """What the tests of a plan ask for at one look; one level holds for every interval.

    Attributes:
        n: Searches so far.
        sequential: Whether anything may be proven before the end.
        harm_alpha: Level of each single test of harm.
    """

    hybrid: Hybrid
    n: int
    at_end: bool
    sequential: bool
    harm_alpha: float

    @property
    def running_alpha(self) -> float:
        """Level of the sequence while the experiment runs; 0 in a fixed test."""
        return self.hybrid.running_alpha if self.sequential else 0.0

    @property
    def final_alpha(self) -> float:
        """Level of the one test at the planned end."""
        return self.hybrid.final_alpha if self.sequential else self.hybrid.alpha

    @property
    def confidence(self) -> float:
        """Probability that an interval covers the truth."""
        return 1 - (self.running_alpha or self.final_alpha)

    def half_width(self, estimate: Estimate) -> float:
        """Return half the width of the interval, in the estimate's own unit."""
        if estimate.standard_error == 0:
            return 0.0
        if self.sequential:
            running = self.hybrid.running_critical_value(self.n)
            return student_value(running, estimate.degrees) * estimate.standard_error
        return fixed_critical_value(self.final_alpha, estimate.degrees) * estimate.standard_error

    def p_values(self, estimate: Estimate) -> tuple[float | None, float | None]:
        """Return the p-value of this look and that of the planned end."""
        z, planned = _normal_z(estimate), self.hybrid.planned
        running = anytime_p_value(z, self.n, planned, self.running_alpha) if self.sequential else None
        return running, fixed_p_value(estimate.z, estimate.degrees) if self.at_end else None

    def above_zero(self, estimate: Estimate) -> bool:
        """Return whether a one-sided test proves the estimate above 0, while running or at the end."""
        z = _normal_z(estimate)
        if self.at_end and fixed_p_value(max(estimate.z, 0.0), estimate.degrees) / 2 <= self.final_alpha and z > 0:
            return True
        return self.sequential and z > one_sided_critical_value(self.n, self.hybrid.planned, self.running_alpha)

    def harmful(self, estimate: Estimate) -> bool:
        """Return whether a loss is proven at this look."""
        return _normal_z(estimate) < -one_sided_critical_value(self.n, self.hybrid.planned, self.harm_alpha)


def levels_of(plan: ExperimentPlan, look: Look, alpha: float | None = None) -> Levels:
    """Return the levels of a plan's tests at a look.

    Args:
        alpha: What is left of the plan's alpha for this run; all of it when None.
    """
    comparisons = len(metrics_of(plan)) * (len(plan.arms) - 1)
    return Levels(
        hybrid=Hybrid(plan.alpha if alpha is None else alpha, plan.planned_searches),
        n=look.total_searches,
        at_end=is_at_end(plan, look),
        sequential=plan.test == "sequential",
        harm_alpha=HARM_ALPHA / comparisons,
    )


def is_at_end(plan: ExperimentPlan, look: Look) -> bool:
    """Return whether the planned end has come."""
    complete = look.total_searches >= plan.planned_searches and look.days >= plan.min_days
    return complete or look.days >= plan.max_days


def _normal_z(estimate: Estimate) -> float:
    return normal_value(estimate.z, estimate.degrees)
