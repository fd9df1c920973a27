"""Tables become columns without losing a digit."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from ab_testing.stats.table import columns, sum_by

TABLES = st.dictionaries(
    st.tuples(st.integers(-(10**25), 10**25), st.integers(0, 10**25)), st.integers(1, 10**25), max_size=8
)


@given(table=TABLES)
@example(table={(0, 0): 1, (2, 1): 2**63 - 1})  # the counts fit one by one, and their sum does not
@example(table={(-(2**63), 1): 1})
def test_sums_of_products_are_exact_however_large(table: dict[tuple[int, int], int]) -> None:
    x, y, count = columns(table)
    assert int((count * x * y).sum()) == sum(units * one * other for (one, other), units in table.items())
    assert int((count * x * x).sum()) == sum(units * one * one for (one, _), units in table.items())


@given(table=st.dictionaries(st.tuples(st.integers(0, 5), st.integers(0, 5)), st.integers(1, 9), max_size=20))
def test_rows_of_a_key_are_summed(table: dict[tuple[int, int], int]) -> None:
    x, y, count = columns(table)
    keys, units, numerators = sum_by(y, count, count * x)
    for key, units_of_key, numerator in zip(keys.tolist(), units.tolist(), numerators.tolist(), strict=True):
        assert units_of_key == sum(found for (_, other), found in table.items() if other == key)
        assert numerator == sum(found * one for (one, other), found in table.items() if other == key)
    assert keys.tolist() == sorted({other for _, other in table})


def test_an_empty_table_has_empty_columns() -> None:
    assert [len(column) for column in columns({})] == [0, 0, 0]
    assert [len(column) for column in sum_by(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))] == [0, 0]
