"""Tests that stay valid however often one looks.

The asymptotic confidence sequence is the normal mixture of Howard et al. (arXiv:1810.08240) in the
form of Waudby-Smith et al. (arXiv:2103.06476). With n the sample so far and a = n rho**2 + 1,

    half width = SE * sqrt(2 a / (n rho**2) * ln(sqrt(a) / alpha))

covers the truth at all n together with probability 1 - alpha. rho only chooses where the sequence
is tightest and is fixed before the start. The sample may be counted in any unit that grows with
the information, provided that n and the planned sample are counted alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from scipy.special import lambertw, ndtr, ndtri, stdtr, stdtrit

RUNNING_SHARE = 0.2
"""Share of alpha that the confidence sequence spends while an experiment runs; the planned end spends the rest."""


@lru_cache(maxsize=1024)
def rho_squared(planned: float, alpha: float) -> float:
    """Return the rho**2 that makes the two-sided sequence tightest at the planned sample.

    The minimiser of the half width over rho at n = `planned`, by Lambert's W:
    (-W(-alpha**2 / e) - 1) / planned on the branch -1.

    Raises:
        ValueError: `planned` is not above 0, or `alpha` not between 0 and 1.
    """
    if planned <= 0 or not 0 < alpha < 1:
        raise ValueError(f"a confidence sequence needs planned > 0 and 0 < alpha < 1, not {planned} and {alpha}")
    return (-float(lambertw(-(alpha**2) / math.e, -1).real) - 1) / planned


def critical_value(n: float, planned: float, alpha: float) -> float:
    """Return the half width of the two-sided sequence at sample `n`, in standard errors; infinite at n = 0."""
    return _width(n * rho_squared(planned, alpha), lambda root: math.log(root / alpha))


def one_sided_critical_value(n: float, planned: float, alpha: float) -> float:
    """Return the distance of the one-sided sequence's bound at sample `n`, in standard errors.

    A one-sided sequence at alpha is nearly a two-sided one at 2 alpha, and is tuned as such.
    """
    return _width(n * rho_squared(planned, 2 * alpha), lambda root: math.log1p(root / (2 * alpha)))


def anytime_p_value(z: float, n: float, planned: float, alpha: float) -> float:
    """Return the two-sided p-value that may be read at every look.

    At most alpha exactly when the sequence tuned for `alpha` excludes 0.

    Args:
        z: The estimate in standard errors.
        planned: Sample for which the sequence is tightest.
        alpha: Level for which it is.
    """
    time = n * rho_squared(planned, alpha)
    return min(1.0, math.sqrt(time + 1) * math.exp(-time / (time + 1) * z**2 / 2))


def fixed_p_value(z: float, degrees: float = math.inf) -> float:
    """Return the two-sided p-value of an estimate read once, by Student's t with `degrees` of freedom."""
    return float(2 * stdtr(degrees, -abs(z)))


def fixed_critical_value(alpha: float, degrees: float = math.inf) -> float:
    """Return what |t| must pass in a two-sided test that is read once."""
    return float(-stdtrit(degrees, alpha / 2))


def student_value(normal: float, degrees: float) -> float:
    """Return the value of Student's t that is as rare as `normal` is by the normal distribution.

    A sequence made for normal estimates holds for few units too when its width is stretched so.
    """
    return float(-stdtrit(degrees, float(ndtr(-normal)))) if math.isfinite(normal) else normal


def normal_value(student: float, degrees: float) -> float:
    """Return the normal value that is as rare as `student` is by Student's t; the inverse of `student_value`."""
    return math.copysign(float(-ndtri(stdtr(degrees, -abs(student)))), student) if math.isfinite(student) else student


@dataclass(frozen=True, slots=True)
class Hybrid:
    """A sequential test that spends a fifth of alpha while running and the rest at one planned end.

    By the union bound its error is at most alpha under any looks. At the end it is nearly as powerful as a test
    without looks: at 0.05, z must pass 2.054 instead of 1.960. The test at the end is Student's; it differs from the
    normal one only where units are few or a few of them very busy.

    Attributes:
        alpha: Level of the two together.
        planned: Sample at the planned end.
    """

    alpha: float
    planned: float

    @property
    def running_alpha(self) -> float:
        """Level of the confidence sequence."""
        return self.alpha * RUNNING_SHARE

    @property
    def final_alpha(self) -> float:
        """Level of the one fixed test at the planned end."""
        return self.alpha - self.running_alpha

    def running_critical_value(self, n: float) -> float:
        """Return what |z| must pass at sample `n` while running."""
        return critical_value(n, self.planned, self.running_alpha)

    def final_critical_value(self, degrees: float = math.inf) -> float:
        """Return what |z| must pass at the planned end."""
        return fixed_critical_value(self.final_alpha, degrees)

    def critical_value(self, n: float, at_end: bool, degrees: float = math.inf) -> float:
        """Return what |z| must pass at sample `n`, at the planned end or before it."""
        running = self.running_critical_value(n)
        return min(running, self.final_critical_value(degrees)) if at_end else running


def _width(time: float, log_term: Callable[[float], float]) -> float:
    if time <= 0:
        return math.inf
    return math.sqrt(2 * (time + 1) / time * log_term(math.sqrt(time + 1)))
