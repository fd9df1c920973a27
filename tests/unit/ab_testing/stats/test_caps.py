"""How much one unit may count."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ab_testing.stats.caps import CAP_QUANTILE, MAX_SHARE, denominator_cap, winsorised
from ab_testing.stats.ratio import RatioStatistics

DENOMINATORS = st.lists(st.integers(1, 2000), min_size=1, max_size=200)


def table(denominators: list[int]) -> dict[tuple[int, int], int]:
    return {(0, y): denominators.count(y) for y in denominators}


@given(denominators=DENOMINATORS)
def test_no_unit_has_more_than_its_share_where_units_suffice(denominators: list[int]) -> None:
    cap = denominator_cap([table(denominators)])
    assert cap is not None
    total = sum(min(y, cap) for y in denominators)
    assert cap == 1 or cap <= total * MAX_SHARE


@given(denominators=DENOMINATORS)
def test_no_larger_cap_would_do(denominators: list[int]) -> None:
    cap = denominator_cap([table(denominators)])
    assert cap is not None
    larger = cap + 1
    above_quantile = sum(y <= cap for y in denominators) >= CAP_QUANTILE * len(denominators)
    unbalanced = larger > sum(min(y, larger) for y in denominators) * MAX_SHARE
    assert above_quantile or unbalanced


@given(denominators=DENOMINATORS, seed=st.integers(0, 1000))
def test_the_arms_of_the_units_do_not_matter(denominators: list[int], seed: int) -> None:
    left = np.random.default_rng(seed).random(len(denominators)) < 0.5
    arms = [table([y for y, here in zip(denominators, left, strict=True) if here == side]) for side in (True, False)]
    assert denominator_cap(arms) == denominator_cap([table(denominators)])


def test_one_user_with_most_searches_cannot_silence_the_others() -> None:
    arm = {(1, 3): 120, (0, 2): 120, (900, 3000): 1}
    cap = denominator_cap([arm])
    assert RatioStatistics.of_table(arm).effective_units < 2
    assert RatioStatistics.of_table(arm, cap).effective_units > 200


def test_without_units_there_is_no_cap() -> None:
    assert denominator_cap([]) is None
    assert denominator_cap([{}, {(0, 0): 7}]) is None


def test_alike_units_count_in_full() -> None:
    assert denominator_cap([{(0, 5): 100}]) == 5
    assert denominator_cap([{(0, 5): 10}]) == 1  # which weighs them alike, too


def test_the_largest_thousandth_of_numerators_is_cut_in_all_arms_alike() -> None:
    usual = {(x, 1): 1 for x in range(1, 2001)}
    cut = winsorised({"control": usual, "treatment": {(10**9, 1): 1, (0, 1): 50}})
    assert cut["treatment"] == {(1999, 1): 1, (0, 1): 50}
    assert max(x for x, _ in cut["control"]) == 1999
    assert sum(cut["control"].values()) == 2000


def test_nothing_is_cut_where_nobody_bought() -> None:
    assert winsorised({"control": {(0, 3): 5}}) == {"control": {(0, 3): 5}}
