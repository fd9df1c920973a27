"""An interval is drawn where its numbers lie."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.interval import WIDTH, draw_interval

EFFECTS = st.floats(-1, 1)


@given(st.lists(EFFECTS, min_size=3, max_size=3))
def test_marks_keep_their_order_and_stay_inside(values: list[float]) -> None:
    low, estimate, high = sorted(values)
    drawing = draw_interval(low, estimate, high)
    assert 0 <= drawing.low <= drawing.estimate <= drawing.high <= WIDTH


@given(EFFECTS)
def test_zero_separates_better_from_worse(effect: float) -> None:
    drawing = draw_interval(effect, effect, effect)
    assert (drawing.estimate - drawing.zero) * effect >= 0


def test_a_known_interval() -> None:
    drawing = draw_interval(-0.1, 0.05, 0.2)
    assert drawing.zero == WIDTH / 2
    assert drawing.high - drawing.zero == pytest.approx(2 * (drawing.zero - drawing.low))
    assert drawing.estimate - drawing.zero == pytest.approx((drawing.high - drawing.zero) / 4, abs=0.2)


def test_nothing_at_all_is_drawn_at_zero() -> None:
    assert draw_interval(0, 0, 0).estimate == WIDTH / 2
