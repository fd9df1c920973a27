"""Assignment is a pure function: sticky, even, independent of coverage."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ab_testing.design.assignment import arm, bucket, covered, position

UNITS = [f"user-{number}" for number in range(4000)]
COVERAGES = st.floats(0, 1)


def test_position_is_the_documented_hash() -> None:
    first = hashlib.blake2b(b"salt|unit").digest()[:8]
    assert position("salt", "unit") == pytest.approx(int.from_bytes(first, "big") / 2**64, abs=2**-53)


@given(salt=st.text(), unit=st.text(st.characters()))
def test_any_unit_has_one_place(salt: str, unit: str) -> None:
    assert 0 <= position(salt, unit) < 1
    assert position(salt, unit) == position(salt, unit)
    assert 0 <= bucket(salt, unit, 10) < 10


def test_a_lone_surrogate_is_a_unit_too() -> None:
    assert 0 <= position("salt", "\ud800") < 1


def test_full_coverage_takes_everybody_and_none_takes_nobody() -> None:
    assert all(covered("traffic", unit, 1.0) for unit in UNITS)
    assert not any(covered("traffic", unit, 0.0) for unit in UNITS)


@given(unit=st.text(), low=COVERAGES, high=COVERAGES)
def test_a_ramp_only_adds_units(unit: str, low: float, high: float) -> None:
    low, high = sorted((low, high))
    assert not covered("traffic", unit, low) or covered("traffic", unit, high)


def test_a_new_split_salt_splits_anew() -> None:
    same = sum(arm("split/1", unit) == arm("split/2", unit) for unit in UNITS)
    assert same / len(UNITS) == pytest.approx(0.5, abs=0.04)


def test_arms_and_coverage_are_even_and_independent() -> None:
    inside = [unit for unit in UNITS if covered("traffic", unit, 0.5)]
    treated = sum(arm("split", unit) == "treatment" for unit in inside)
    assert len(inside) / len(UNITS) == pytest.approx(0.5, abs=0.04)
    assert treated / len(inside) == pytest.approx(0.5, abs=0.05)


def test_buckets_are_even() -> None:
    counts = [0] * 8
    for unit in UNITS:
        counts[bucket("salt", unit, 8)] += 1
    assert min(counts) > 400
    assert max(counts) < 600
