from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.harness.evaluation import EvaluationHarness
from benchmarks.learning.baselines import label_by_rate, label_doubly_robust
from benchmarks.learning.closed_loop import Setting, Simulation, Votes
from collector.fold.lists import ShownList
from collector.fold.outcomes import Outcome
from foundation.contracts import CURVE_RANKS, PRIOR_CURVE, Evidence
from simulator.collection import JudgedCollection
from tests.plain_embedder import PlainEmbedder

Floats = npt.NDArray[np.float32]
WORDS = ("red", "blue", "green", "round", "flat", "tall", "old", "new")
START = datetime(2026, 1, 5, tzinfo=UTC)


def embed(texts: list[str]) -> Floats:
    rows = [sum(map(_vector, text.lower().replace(".", "").split()), np.zeros(32)) for text in texts]
    return np.array([row / max(float(np.linalg.norm(row)), 1e-9) for row in rows], dtype=np.float32)


def _vector(word: str) -> npt.NDArray[np.float64]:
    return np.random.default_rng(zlib.crc32(word.encode())).normal(size=32)


@pytest.fixture(scope="module")
def world() -> EvaluationHarness:
    pairs = [f"{one} {other}" for one in WORDS for other in WORDS if one < other]
    documents: list[dict[str, Any]] = [{"id": pair, "title": pair, "text": f"A {pair} thing."} for pair in pairs]
    queries = {f"{kind} {pair}": f"{kind} {pair}" for pair in pairs for kind in ("some", "any", "SOME")}
    judgments = {query: {query.split(" ", 1)[1]: 1} for query in queries}
    train = {query: grades for query, grades in judgments.items() if query.startswith("some")}
    test = {query: grades for query, grades in judgments.items() if not query.startswith("some")}
    return EvaluationHarness(
        JudgedCollection(documents, queries, {"train": train, "test": test}), PlainEmbedder(embed), 32
    )


def test_queries_that_users_ask_under_another_spelling_are_not_held_out(world: EvaluationHarness) -> None:
    assert all(key.startswith("any") for key in world.held_out)
    assert not world.held_out.keys() & world.asked.keys()


@pytest.mark.timeout(400)
def test_a_run_measures_at_every_training_and_repeats_itself(world: EvaluationHarness) -> None:
    rows = Simulation(world, Setting("closed"), clicks=60, seed=1).run(lambda _: None)
    again = Simulation(world, Setting("closed"), clicks=60, seed=1).run(lambda _: None)

    assert [row.clicks for row in rows] == [4, 12, 20, 36, 60]
    assert [row.held_out for row in rows] == [row.held_out for row in again]
    assert all(0 <= row.held_out <= 1 and 0 <= row.clicked <= 1 for row in rows)


def test_a_static_log_is_learned_from_once(world: EvaluationHarness) -> None:
    rows = Simulation(world, Setting("static", closed=False), clicks=30, seed=1).run(lambda _: None)

    assert [row.clicks for row in rows] == [30]


def test_lists_of_one_person_beyond_the_cap_do_not_count() -> None:
    votes = Votes(lists_per_user=2)

    for number in range(5):
        shown = ShownList(str(number), START + timedelta(minutes=number), {"d": 1}, Outcome(clicked=(1,)))
        votes.add("q", 7, shown)

    assert votes.clicks == 5
    assert votes.evidence()[0].shown[0] == 2
    assert votes.evidence()[0].users == 1


def test_naive_labels_are_click_rates_and_robust_ones_lie_between_rate_and_belief() -> None:
    rest = (0.0,) * (CURVE_RANKS - 1)
    evidence = [Evidence("q", "d", (10.0, *rest), (9.0, *rest), 9)]

    naive, curve = label_by_rate(evidence, {}, None)
    robust, _ = label_doubly_robust(evidence, {"q": {"d": 0.1}}, None)

    assert curve == PRIOR_CURVE
    assert naive[0].relevance == pytest.approx(0.9)
    assert robust[0].relevance == pytest.approx((9 + 0.3) / 13)
