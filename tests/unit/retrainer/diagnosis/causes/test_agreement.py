"""Whether gains arrive is asked of past versions."""

from __future__ import annotations

import numpy as np
import pytest

from retrainer.diagnosis.causes.agreement import examine, pool
from retrainer.diagnosis.evidence import VersionEvidence
from tests.diagnosing import effect


def past(*shares: float) -> VersionEvidence:
    return VersionEvidence(past=[effect(estimate=0.05 * share, standard_error=0.005) for share in shares])


def test_gains_that_never_arrived_are_named() -> None:
    assert examine(past(0.05, -0.1, 0.1, 0.0, -0.05, 0.1)).state == "named"


def test_gains_that_arrived_are_cleared() -> None:
    assert examine(past(1.0, 0.95, 1.1, 1.05, 0.9, 1.0)).state == "cleared"


def test_versions_that_went_either_way_say_too_little() -> None:
    assert examine(past(2.0, -1.0, 1.5, 0.0, -0.5)).state == "unknown"


def test_four_versions_are_too_few() -> None:
    found = examine(past(0.0, 0.0, 0.0, 0.0))
    assert (found.state, "4 past versions have" in found.sentence) == ("unknown", True)


def test_measurements_that_agree_are_pooled_by_their_precision() -> None:
    pooled = pool(np.array([1.0, 1.0, 1.0]), np.array([0.1, 0.2, 0.2]))
    assert pooled.value == pytest.approx(1.0)
    assert pooled.high - 1 == pytest.approx(6.965 * (1 / 150) ** 0.5, abs=1e-3)


def test_measurements_that_disagree_weigh_alike() -> None:
    assert pool(np.array([0.0, 10.0]), np.array([0.1, 0.2])).value == pytest.approx(5.0, abs=0.01)
