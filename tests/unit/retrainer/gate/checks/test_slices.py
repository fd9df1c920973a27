"""No kind of query pays for the gain of the others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from retrainer.gate.checks.slices import MIN_QUERIES, check_slices, cut
from tests.measured import comparison, measured


def test_a_slice_that_loses_is_found_although_the_whole_gains() -> None:
    change = [0.1] * 80 + [-0.2] * 20
    found = replace(
        comparison(change), keys=[f"printer {n}" for n in range(80)] + [f"how do I fix {n}" for n in range(20)]
    )
    finding = check_slices(measured(found))
    assert finding is not None
    assert not finding.passed
    assert "queries of three to five words" in finding.tell()
    assert "mean change of 20 queries -0.2000, must be above -0.0200" in finding.tell()
    assert finding.worst[0] == "'how do I fix 0' -0.200"


def test_what_chance_alone_would_lose_is_no_loss() -> None:
    change = np.random.default_rng(0).normal(0.0, 0.3, 60).tolist()
    keys = [f"printer {n}" for n in range(30)] + [f"how do I fix {n}" for n in range(30)]
    finding = check_slices(measured(replace(comparison(change), keys=keys)))
    assert finding is not None
    assert finding.passed
    assert finding.bound < -0.05


def test_a_slice_of_few_queries_says_nothing() -> None:
    few = MIN_QUERIES - 1
    keys = [f"printer {n}" for n in range(60)] + [f"how do I fix {n}" for n in range(few)]
    found = replace(comparison([0.1] * 60 + [-0.5] * few), keys=keys)
    assert not any("three to five" in one.name for one in cut(found, {}))


def test_queries_are_cut_by_traffic_length_surface_and_script() -> None:
    keys = [f"printer {n}" for n in range(40)] + [f"принтер {n}" for n in range(40)]
    lists = [9.0] * 20 + [1.0] * 60
    surfaces = dict.fromkeys(keys[:30], "context") | dict.fromkeys(keys[30:], "page")
    found = replace(comparison([0.0] * 80, lists=lists), keys=keys)
    sizes = {one.name: len(one.keys) for one in cut(found, surfaces)}
    assert sizes == {
        "that are asked often": 20,
        "that are asked seldom": 60,
        "asked on 'context'": 30,
        "asked on 'page'": 50,
        "in Latin letters": 40,
        "in Cyrillic letters": 40,
    }


@pytest.mark.parametrize("count", [0, 1, MIN_QUERIES])
def test_without_two_kinds_of_queries_there_is_no_slice(count: int) -> None:
    assert check_slices(measured(comparison([-1.0] * count))) is None
