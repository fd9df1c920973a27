"""What spoils bodies spoils them in many ways, the same ones under the same seed."""

from __future__ import annotations

import copy
import random

from benchmarks.ingest.fuzz import spoil, spoil_body

GOOD = {"id": "e", "type": "click", "tags": ["a", {"b": 1}]}


def test_bodies_are_spoilt_alike_under_one_seed_and_the_good_one_stays_good() -> None:
    before = copy.deepcopy(GOOD)
    one, other = ([spoil_body(GOOD, random.Random(seed)) for seed in range(200)] for _ in range(2))

    assert one == other
    assert before == GOOD
    assert len(set(one)) > 150


def test_values_are_lost_replaced_and_added() -> None:
    spoilt = [spoil(GOOD, random.Random(seed)) for seed in range(300)]
    whole = [one for one in spoilt if isinstance(one, dict)]

    assert any("id" not in one for one in whole)
    assert any(one.keys() - GOOD.keys() for one in whole)
    assert any(one.get("type") != "click" for one in whole)
