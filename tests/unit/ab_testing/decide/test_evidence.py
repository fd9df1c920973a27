"""What a look says of a metric: an effect and its interval, narrower where units have a history."""

from __future__ import annotations

import math
from dataclasses import replace

from ab_testing.decide.look import summarise_histories
from tests.looks import one, rates, see


def test_history_narrows_the_interval() -> None:
    tables, history = rates(0.3, 0.36), {}
    for arm, table in tables.items():
        clicking, others = table[4, 4], table[0, 4]
        history[arm] = {(4, 4, 4, 4): clicking - 40, (4, 4, 1, 4): 40, (0, 4, 0, 4): others - 40, (0, 4, 3, 4): 40}
    look = replace(see(click_rate=tables), histories={"click_rate": summarise_histories(history)})
    raw, freed = one(look), one(look, cuped=True)
    assert freed.known == 1.0
    assert raw.known is None
    assert freed.standard_error is not None
    assert raw.standard_error is not None
    assert freed.standard_error < 0.8 * raw.standard_error


def test_one_arm_with_all_and_one_with_none_has_numbers_everywhere() -> None:
    found = one(see(14.0, click_rate=rates(0.0, 1.0)))
    assert found.superior
    for value in (found.low, found.high, found.p_value, found.final_p_value):
        assert value is not None
        assert not math.isnan(value)
