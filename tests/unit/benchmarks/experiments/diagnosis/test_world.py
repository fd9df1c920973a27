"""The planted worlds hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.experiments.diagnosis.world import Users, encode, make_world


def test_a_share_of_the_searches_asks_what_nobody_asked_before() -> None:
    random = np.random.default_rng(1)
    world = make_world(50, random)
    before = set(world.queries[:50])
    assert {query for _, query in world.ask(2000, random)} <= before
    new = [query not in before for _, query in world.ask(2000, random, without=0.4)]
    assert np.mean(new) == pytest.approx(0.4, abs=0.04)


def test_skill_brings_what_answers_to_the_top() -> None:
    random = np.random.default_rng(2)
    world = make_world(200, random)
    low, high = (world.score(skill, random) for skill in (0.0, 3.0))
    right = [
        np.mean([world.is_relevant(query, world.rank(scores, query)[:2]) for query in world.queries])
        for scores in (low, high)
    ]
    assert right[0] == pytest.approx(2 / 16, abs=0.03)
    assert right[1] > 0.7


def test_impatient_users_leave_slow_lists() -> None:
    random = np.random.default_rng(3)
    users = Users(impatience=0.3)
    quick, slow = (np.mean([bool(users.clicks([True] * 3, ms, random)) for _ in range(3000)]) for ms in (50.0, 136.0))
    assert slow == pytest.approx(0.7 * quick, abs=0.04)


def test_only_queries_that_begin_alike_are_near() -> None:
    vectors = encode(["query 1", "query 1 again", "query 2"])
    products = vectors @ vectors.T
    assert products[0, 1] == pytest.approx(1.0, abs=1e-5)
    assert products[0, 2] < 0.9
