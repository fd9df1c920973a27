"""Assignment is a pure function: sticky, as even as the weights, independent of coverage."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ab_testing.design.assignment import (
    Visitor,
    bounds_of,
    choose_arm,
    is_targeted,
    position,
    takes_part,
    unit_of,
)
from ab_testing.design.plan import ExperimentPlan, UnitKind

UNITS = [f"user-{number}" for number in range(4000)]
COVERAGES = st.floats(0, 1)
HALVES = bounds_of((0.5, 0.5))


def covered(unit: str, coverage: float, slots_from: float = 0.0) -> bool:
    return takes_part(position("traffic", unit), slots_from, coverage)


def test_position_is_the_documented_hash() -> None:
    first = hashlib.blake2b(b"salt|unit").digest()[:8]
    assert position("salt", "unit") == pytest.approx(int.from_bytes(first, "big") / 2**64, abs=2**-53)


@given(salt=st.text(), unit=st.text(st.characters()))
def test_any_unit_has_one_place(salt: str, unit: str) -> None:
    assert 0 <= position(salt, unit) < 1
    assert position(salt, unit) == position(salt, unit)


def test_a_lone_surrogate_is_a_unit_too() -> None:
    assert 0 <= position("salt", "\ud800") < 1


def test_full_coverage_takes_everybody_and_none_takes_nobody() -> None:
    assert all(covered(unit, 1.0) for unit in UNITS)
    assert not any(covered(unit, 0.0) for unit in UNITS)


@given(unit=st.text(), low=COVERAGES, high=COVERAGES)
def test_a_ramp_only_adds_units(unit: str, low: float, high: float) -> None:
    low, high = sorted((low, high))
    assert not covered(unit, low) or covered(unit, high)


def test_ranges_that_touch_share_no_unit() -> None:
    both = [unit for unit in UNITS if covered(unit, 0.4) and covered(unit, 0.6, slots_from=0.4)]
    either = [unit for unit in UNITS if covered(unit, 0.4) or covered(unit, 0.6, slots_from=0.4)]
    assert (both, either) == ([], UNITS)


def test_a_new_split_salt_splits_anew() -> None:
    same = sum(
        choose_arm(HALVES, position("split/1", unit)) == choose_arm(HALVES, position("split/2", unit)) for unit in UNITS
    )
    assert same / len(UNITS) == pytest.approx(0.5, abs=0.04)


def test_arms_and_coverage_are_even_and_independent() -> None:
    inside = [unit for unit in UNITS if covered(unit, 0.5)]
    treated = sum(choose_arm(HALVES, position("split", unit)) for unit in inside)
    assert len(inside) / len(UNITS) == pytest.approx(0.5, abs=0.04)
    assert treated / len(inside) == pytest.approx(0.5, abs=0.05)


def test_many_arms_get_what_their_weights_say() -> None:
    shares = (0.7, 0.1, 0.15, 0.05)
    counts = [0] * len(shares)
    for unit in UNITS:
        counts[choose_arm(bounds_of(shares), position("split", unit))] += 1
    assert [count / len(UNITS) for count in counts] == pytest.approx(shares, abs=0.025)


def test_ranges_of_arms_are_half_open() -> None:
    bounds = bounds_of((0.25, 0.5, 0.25))
    assert [choose_arm(bounds, at) for at in (0.0, 0.2499, 0.25, 0.7499, 0.75, 1 - 2**-53)] == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("kind", "visitor", "unit"),
    [
        ("user", Visitor(user="ann", session="s"), "ann"),
        ("user", Visitor(session="s"), "s"),
        ("user", Visitor(query="q", conversation="c"), ""),
        ("session", Visitor(user="ann"), ""),
        ("session", Visitor(user="ann", session="s"), "s"),
        ("conversation", Visitor(user="ann", conversation="c"), "c"),
        ("query", Visitor(query="q"), "q"),
    ],
)
def test_a_search_that_does_not_name_its_unit_has_none(kind: UnitKind, visitor: Visitor, unit: str) -> None:
    assert unit_of(kind, visitor) == unit


def test_a_plan_may_be_about_some_surfaces_and_attributes() -> None:
    plan = ExperimentPlan(
        *("n", "ab", "v-1", "v-2"),
        planned_searches=10,
        min_days=0,
        max_days=1,
        surfaces=("page",),
        attributes={"country": ["de", "at"]},
    )
    austrian = {"country": "at", "tier": "free"}
    assert is_targeted(plan, Visitor(attributes=austrian))
    assert not is_targeted(plan, Visitor(attributes=austrian, surface="agent"))
    assert not is_targeted(plan, Visitor(attributes={"country": "fr"}))
    assert not is_targeted(plan, Visitor())
