"""Pairs are planted in every part of a version, and the bars of the judge count what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.learning.pairs import Judged, pair_bars
from benchmarks.learning.planting import PLANTS, plant
from serving.ranking.adaptation import Adapter, Residuals
from serving.ranking.memory import QueryMemory, Remembered
from serving.ranking.model import RankingModel

SIZE = 4
UNTAUGHT = RankingModel(QueryMemory([], SIZE))
ONE = np.eye(SIZE, dtype=np.float32)
PAST = [Remembered(name, ONE[place], {name: 1.0}) for place, name in enumerate("abcd")]
LEARNED = RankingModel(
    memory=QueryMemory(PAST, SIZE),
    adapter=Adapter(np.arange(16, dtype=np.float32).reshape(SIZE, SIZE), ONE[0]),
    residuals=Residuals(tuple("abcd"), ONE),
    fusion="linear",
    weights={"bm25_share": 1.0, "dense_share": 2.0, "memory": 3.0},
)
PAIR = Judged(
    cell="one",
    clicks=2000,
    champion="production",
    kind="fusion 10:0",
    queries=40,
    truth=-0.02,
    seen=-0.01,
    even=0.0,
    under_champion=-0.03,
    under_candidate=0.03,
    share=0.3,
    data=0.5,
    passed=False,
    off=0.01,
)


def test_each_damage_is_in_its_part_alone_and_repeats_itself() -> None:
    planted = dict(plant(LEARNED, UNTAUGHT, seed=3))

    assert planted.keys() >= PLANTS.keys()
    for name, one in PLANTS.items():
        part = "weights" if one.part == "fusion" else one.part
        damaged = planted[name]
        assert getattr(damaged, part) is not getattr(LEARNED, part)
        assert replace(damaged, **{part: getattr(LEARNED, part)}) == LEARNED
    again = dict(plant(LEARNED, UNTAUGHT, seed=3))["weights off by 2"]
    assert again.weights == planted["weights off by 2"].weights != LEARNED.weights


def test_what_was_not_learned_is_not_damaged() -> None:
    planted = dict(plant(replace(LEARNED, residuals=None), UNTAUGHT, seed=0))

    assert not [name for name in planted if name.startswith("residuals")]


def test_the_bars_count_signs_bias_and_passes() -> None:
    better = replace(PAIR, cell="other", truth=0.03, seen=0.02, passed=True, off=-0.002)
    wrong = replace(PAIR, cell="other", seen=0.01, passed=True, off=None)
    alike = replace(PAIR, truth=0.001, seen=-0.2, off=None)

    values = {bar.id: bar.value for bar in pair_bars([PAIR, better, wrong, alike])}

    assert values == {"gate.sign": 0.6667, "gate.bias": 0.004, "gate.worse_pass": 0.5, "gate.better_pass": 1.0}


def test_what_has_few_clicks_need_not_pass() -> None:
    assert "gate.better_pass" not in {bar.id for bar in pair_bars([replace(PAIR, truth=0.03, clicks=500)])}
