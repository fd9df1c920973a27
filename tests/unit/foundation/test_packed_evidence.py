"""Evidence by columns says what its rows do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.contracts import CURVE_RANKS, PRIOR_CURVE, Evidence
from foundation.packed_evidence import pack

LISTS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda pair: (max(pair), min(pair))),
    min_size=CURVE_RANKS,
    max_size=CURVE_RANKS,
)


@given(st.lists(st.tuples(LISTS, st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=6))
def test_columns_say_what_rows_do(drawn: list[tuple[list[tuple[int, int]], int, int, int]]) -> None:
    rows = [
        Evidence(
            "q",
            f"d{number}",
            tuple(float(shown) for shown, _ in lists),
            tuple(float(clicked) for _, clicked in lists),
            *map(float, others),
        )
        for number, (lists, *others) in enumerate(drawn)
    ]
    [packed] = pack(rows)

    assert packed.rows() == rows
    assert packed.log_odds(PRIOR_CURVE) == pytest.approx(
        [PRIOR_CURVE.log_odds(row.shown, row.clicked) for row in rows], abs=1e-4
    )
    assert packed.users.tolist() == [row.users for row in rows]
    assert packed.praise.tolist() == [row.satisfied - row.dissatisfied for row in rows]
    assert packed.passed.tolist() == [
        [shown - clicked for shown, clicked in zip(row.shown, row.clicked, strict=True)] for row in rows
    ]
