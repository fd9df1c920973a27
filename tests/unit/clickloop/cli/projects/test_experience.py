"""What the same people say of two rankings, compared."""

from __future__ import annotations

import pytest

from clickloop.cli.projects.experience import compare_means


def test_means_are_over_all_that_was_said() -> None:
    found = compare_means([1, 2, 3], [(1.0, 5.0), (), (3.0,)], [(4.0,), (5.0, 5.0), ()], seed=0)
    assert found is not None
    assert found.before == pytest.approx(3.0)
    assert found.after == pytest.approx(14 / 3)
    assert found.low <= found.after - found.before <= found.high


def test_equal_answers_differ_by_nothing() -> None:
    said = [(1.0,), (5.0, 2.0), (), (4.0,)]
    found = compare_means([1, 1, 2, 3], said, said, seed=0)
    assert found is not None
    assert (found.low, found.high) == (0.0, 0.0)


def test_one_person_is_no_evidence_however_much_was_said() -> None:
    people = list(range(40))
    alone = compare_means([0] * 20 + people[:20], [(1.0,)] * 40, [(5.0,)] * 20 + [(1.0,)] * 20, seed=0)
    many = compare_means(people, [(1.0,)] * 40, [(5.0,)] * 20 + [(1.0,)] * 20, seed=0)
    assert alone is not None
    assert many is not None
    assert alone.high - alone.low > many.high - many.low


def test_nothing_is_compared_where_nobody_said_anything() -> None:
    assert compare_means([1, 2], [(), ()], [(5.0,), ()], seed=0) is None
