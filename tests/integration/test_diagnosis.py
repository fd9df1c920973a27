"""What the stores hold of a version is gathered and told, over HTTP and for every kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ab_testing.api import Experiment, ExperimentPlan, Experiments
from collector.join.batch import fold_batch
from foundation.arrays import Floats
from foundation.clock import FrozenClock
from foundation.contracts import FeedbackEvent, Impression, Manifest, ShownResult
from foundation.database.engine import transaction
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.registry import Registry, Version
from foundation.settings import Settings
from foundation.web.middleware import Edge, install_edge
from retrainer.data.splits import draw_folds
from retrainer.data.store import keep_clusters
from retrainer.data.threshold import FOLDS
from retrainer.diagnosis.http import make_router
from retrainer.diagnosis.reads import Diagnoser
from retrainer.gate.siblings import KEPT_ASIDE
from serving.ranking.model import write_memory

QUERIES = [f"query {number}" for number in range(60)]
METRICS: dict[str, Any] = {"judged": 100, "champion_ndcg": 0.5, "change": 0.1, "overlap": 0.7, "differs": 0.9}
Record = Impression | FeedbackEvent


class Collection:
    """A collection whose version v-2 was gated and then compared with v-1 in an interleaving experiment."""

    def __init__(self, engine: sa.Engine, clock: FrozenClock, folder: Path) -> None:
        self.engine, self.clock = engine, clock
        self.registry = Registry(engine, ArtifactStore(str(folder)))
        self.experiments = Experiments(engine, clock)
        diagnoser = Diagnoser(
            *(engine, self.registry, self.experiments, clock), encode=self._encode, half_life_days=30.0
        )
        app = FastAPI()
        install_edge(app, Edge(10_000))
        app.include_router(make_router(diagnoser))
        self.client = TestClient(app)

    def fold(self, records: Iterator[Record]) -> None:
        with transaction(self.engine) as connection:
            fold_batch(connection, list(records), Settings())

    def ask(self, number: int, **more: Any) -> Iterator[Record]:
        """Yield the list of a search by one of fifty users, and a click on its first result."""
        query = QUERIES[number % len(QUERIES)]
        results = (ShownResult("a", 1, 1.0, "control"), ShownResult("b", 2, 0.5, "treatment", own_ranks=(2, 1)))
        at, unit = self.clock.now(), f"user-{number % 50}"
        shown = Impression("default", f"q-{at:%d}-{number}", query, unit, "v-1", results, at)
        yield replace(shown, **more)
        yield FeedbackEvent("default", f"{shown.query_id}/c", "click", shown.query_id, "a", unit, 0.0, at, at)

    def register(self, learned: list[str], metrics: dict[str, Any]) -> None:
        memory = self.registry.artifacts.put(write_memory({query: {"a": 1.0} for query in learned}, 1))
        now, manifest = self.clock.now(), Manifest("e", memory=memory)
        lineage = {"data_as_of": now.isoformat()}
        self.registry.register(
            Version("default", "v-2", "v-1", "approved", "better", manifest, lineage, metrics, now, name="second")
        )

    def interleave(self, differing: int, count: int = 600) -> Experiment:
        """Run an experiment of which every so manieth list differs, to its end."""
        plan = ExperimentPlan("one", "interleaving", "v-1", "v-2", planned_searches=count, min_days=0.0, max_days=7.0)
        made = self.experiments.create("default", plan)
        running = self.experiments.start("default", made.id)
        self.clock.advance(timedelta(hours=1))
        told = {"experiment": running.id, "run": 1, "plan_hash": plan.hash, "arm": "interleaved", "known": True}
        self.fold(
            one
            for number in range(count)
            for one in self.ask(
                number, **told, drawn_by=f"user-{number % 50}", first_difference=int(number % differing == 0)
            )
        )
        self.clock.advance(timedelta(hours=1))
        self.experiments.stop("default", made.id)
        return running

    def diagnose(self, version: str = "v-2") -> dict[str, Any]:
        answer = self.client.get(f"/v1/versions/{version}/diagnosis")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found | {one["cause"]: one for one in found["findings"]}

    def _encode(self, queries: list[str]) -> Floats:
        """Return vectors that are equal for queries of the same two first words."""
        words = [" ".join(query.split()[:2]) for query in queries]
        return np.eye(100, dtype=np.float32)[[int(one.split()[1]) for one in words]]

    def keep_clusters(self) -> list[str]:
        """Keep the clusters of all queries, and return those that judge."""
        clusters = keep_clusters(self.engine, "default", QUERIES, self._encode(QUERIES))
        folds = draw_folds((clusters[query] for query in QUERIES), FOLDS, "gate").tolist()
        return [query for query, fold in zip(QUERIES, folds, strict=True) if fold == KEPT_ASIDE]


@pytest.fixture
def collection(any_engine: sa.Engine, clock: FrozenClock, tmp_path: Path) -> Collection:
    return Collection(any_engine, clock, tmp_path / "artifacts")


def test_of_a_version_without_an_experiment_every_cause_says_what_is_missing(collection: Collection) -> None:
    collection.register([], {})
    found = collection.diagnose("second")
    assert (found["version"], found["named"]) == ("v-2", [])
    assert [one["state"] for one in found["findings"]] == ["unknown"] * 9
    assert all(one["sentence"].startswith("Not enough") for one in found["findings"])


def test_an_unknown_version_is_a_404(collection: Collection) -> None:
    assert collection.client.get("/v1/versions/v-9/diagnosis").status_code == 404


def test_lists_that_hardly_differ_are_read_from_its_experiment(collection: Collection) -> None:
    collection.register([], METRICS)
    collection.interleave(differing=20, count=400)
    found = collection.diagnose()
    assert (found["lists"]["state"], found["lists"]["value"]) == ("named", 0.05)
    assert found["named"][0] == "lists" or found["power"]["state"] == "named"


def test_queries_that_judge_and_were_learned_from_are_found_by_meaning(collection: Collection) -> None:
    collection.fold(one for number in range(120) for one in collection.ask(number))
    judging = collection.keep_clusters()
    collection.clock.advance(timedelta(days=1))
    collection.register([f"{query} please" for query in judging], METRICS)
    leaked = collection.diagnose()["leakage"]
    assert (leaked["state"], leaked["value"]) == ("named", 1.0)
    assert f"the {len(judging)} queries that judged it" in leaked["sentence"]


def test_queries_of_the_experiment_are_compared_with_those_before(collection: Collection) -> None:
    collection.fold(one for number in range(300) for one in collection.ask(number))
    collection.clock.advance(timedelta(days=1))
    collection.register([], METRICS)
    collection.interleave(differing=1, count=300)
    assert collection.diagnose()["drift"]["state"] == "cleared"


def test_an_experiment_that_still_runs_is_told_as_it_stands(collection: Collection) -> None:
    collection.register([], METRICS)
    plan = ExperimentPlan("one", "interleaving", "v-1", "v-2", planned_searches=900, min_days=0.0, max_days=7.0)
    collection.experiments.start("default", collection.experiments.create("default", plan).id)
    assert collection.diagnose()["power"]["state"] == "unknown"
