"""Other ways from clicks to labels do what they are compared for."""

from __future__ import annotations

import pytest

from benchmarks.learning.baselines import label_by_interventions
from collector.click_models.labels import label
from foundation.contracts import CURVE_RANKS, Evidence

NOTHING = (0.0,) * CURVE_RANKS


def test_documents_at_several_ranks_give_the_curve_where_there_are_enough() -> None:
    evidence = [
        Evidence(f"q{number}", "d", (50.0, 50.0, *NOTHING[2:]), (40.0 * worth, 36.0 * worth, *NOTHING[2:]), 76)
        for number in range(40)
        for worth in [(number % 4 == 0) + 0.05]
    ]

    _, swaps = label_by_interventions(evidence, {}, None)
    _, few = label_by_interventions(evidence[:2], {}, None)

    assert swaps.relevant[1] / swaps.relevant[0] == pytest.approx(0.9, abs=0.05)
    assert few == label(evidence[:2], {})[1]
