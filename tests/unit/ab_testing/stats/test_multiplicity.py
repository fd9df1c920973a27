"""Several findings at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from ab_testing.stats.multiplicity import holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


@settings(max_examples=10, deadline=None)
@given(p_values=P_VALUES)
def test_agrees_with_statsmodels(p_values: list[float]) -> None:
    ours = holm(dict(enumerate(p_values)))
    assert list(ours.values()) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-9)


@given(p_values=P_VALUES)
def test_no_p_value_gets_smaller_and_their_order_stays(p_values: list[float]) -> None:
    ours = list(holm(dict(enumerate(p_values))).values())
    assert all(adjusted >= raw for adjusted, raw in zip(ours, p_values, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(ours)[order]) >= 0).all()


def test_a_hypothesis_that_cannot_be_tested_yet_still_counts() -> None:
    assert holm({"a": 0.02, "b": None}) == {"a": 0.04, "b": 1.0}
    assert holm({"a": 0.02}) == {"a": 0.02}
    assert holm({}) == {}
