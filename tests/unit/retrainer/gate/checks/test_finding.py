"""A finding says what is wrong, with number and bound."""

from __future__ import annotations

import numpy as np

from retrainer.gate.checks.finding import GateFinding, name_worst


def test_a_value_must_be_on_its_side_of_the_bound() -> None:
    assert GateFinding("share", 0.31, "above", 0.3, "too little").passed
    assert not GateFinding("share", 0.3, "above", 0.3, "too little").passed
    assert GateFinding("MiB", 12.0, "below", 512.0, "too much").passed
    assert not GateFinding("MiB", 512.0, "below", 512.0, "too much").passed


def test_it_tells_number_and_bound() -> None:
    assert (
        GateFinding("share", 0.2, "above", 0.3, "too little").tell()
        == "too little (share +0.2000, must be above +0.3000)"
    )
    assert GateFinding("MiB", 600.0, "below", 512.0, "too much").tell() == "too much (MiB +600.0, must be below +512.0)"


def test_only_queries_that_lose_are_named_and_the_worst_first() -> None:
    assert name_worst(["a", "b", "c"], np.array([0.1, -0.2, -0.3])) == ("'c' -0.300", "'b' -0.200")
    assert name_worst([], np.zeros(0)) == ()
