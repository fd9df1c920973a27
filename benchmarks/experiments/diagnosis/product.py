"""The product's own stores, filled by its own functions: traffic is folded, versions are gated, experiments are run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import sqlalchemy as sa

from ab_testing.api import Experiment, ExperimentPlan, Experiments, interleave
from ab_testing.design.plan import INTERLEAVED, Kind
from benchmarks.experiments.diagnosis.world import DEPTH, PATIENT, QueryWorld, Ranking, Scores, Users, encode
from collector.click_models.labels import label
from collector.join.batch import fold_batch
from foundation.clock import FrozenClock
from foundation.contracts import (
    DEFAULT_COLLECTION,
    ClickCurve,
    Evidence,
    FeedbackEvent,
    Impression,
    Label,
    Manifest,
    ShownResult,
)
from foundation.database import schema
from foundation.database.engine import make_engine, transaction
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.registry import Registry, Version
from foundation.registry.status_history import Status
from foundation.settings import Settings
from retrainer.data.dataset import Dataset, freeze_dataset
from retrainer.diagnosis.diagnosis import VersionDiagnosis
from retrainer.diagnosis.reads import Diagnoser
from retrainer.gate.comparison import compare
from retrainer.gate.gate import judge_candidate
from retrainer.gate.measurements import Measurements
from retrainer.gate.views import View
from retrainer.learners.memory import remember
from retrainer.learners.sharpness import sharpen
from serving.arms import first_difference
from serving.ranking.model import write_memory

CHAMPION = "v-champion"
_SETTINGS = Settings(_env_file=None)
_HALF_LIFE_DAYS = 30.0
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
_BATCH = 8000
_LOG_MS, _SPREAD_MS = np.log(50.0), 0.4

Records = list[Impression | FeedbackEvent]
Order = Callable[[str], Ranking]
"""Ranks the documents of a query."""


@dataclass(frozen=True, slots=True)
class LiveTraffic:
    """The searches of one experiment.

    Attributes:
        unknown: Share of them that ask what nobody asked before.
        slower: By how much longer the treatment of an A/B test takes, as a logarithm.
        world: Where relevance is another one by then; None for the same.
    """

    searches: int
    users: Users = PATIENT
    unknown: float = 0.0
    slower: float = 0.0
    world: QueryWorld | None = None


class ProductStore:
    """One collection in a database of its own, with a clock that its traffic moves."""

    def __init__(self, folder: Path, world: QueryWorld, at: datetime = START) -> None:
        self.folder, self.world = folder, world
        self.clock = FrozenClock(at)
        self.engine: sa.Engine = make_engine(f"sqlite:///{folder / 'clickloop.db'}")
        self.experiments = Experiments(self.engine, self.clock)
        self.registry = Registry(self.engine, ArtifactStore(str(folder / "artifacts")))

    @contextmanager
    def copy(self) -> Iterator[ProductStore]:
        """Yield a store that begins as this one stands."""
        self.engine.dispose()
        with TemporaryDirectory(prefix="clickloop-bench-") as folder:
            shutil.copytree(self.folder, folder, dirs_exist_ok=True)
            store = ProductStore(Path(folder), self.world, self.clock.now())
            yield store
            store.engine.dispose()

    def search(self, count: int, orders: list[Order], users: Users, random: np.random.Generator) -> None:
        """Let users search as before: each list comes from one of some rankings, as history left them."""
        self._fold(self._history(count, orders, users, random), timedelta(days=10) / count)

    def freeze(self) -> Dataset:
        """Return the evidence as a training run freezes it."""
        now = self.clock.now()
        return freeze_dataset(self.engine, DEFAULT_COLLECTION, now, _HALF_LIFE_DAYS, encode, {}, cross_fitting=False)

    def register(
        self,
        name: str,
        dataset: Dataset,
        scores: tuple[Scores, Scores],
        *,
        curve: ClickCurve | None = None,
        also_learned: Iterable[str] = (),
    ) -> Mapping[str, Any]:
        """Gate a version against the champion, register it, and return what the gate measured.

        Args:
            scores: Of the champion and of the version.
            curve: By which its labels are read; fitted to the clicks when None.
            also_learned: Further queries that it remembers.
        """
        before, after = (self._view(one, sorted({row.query_key for row in dataset.judge})) for one in scores)
        read = label if curve is None else partial(_read_by, curve)
        gate = judge_candidate(Measurements(compare(before, after, dataset.judge, read), dataset.clusters, seed=0))
        keys = sorted({row.query_key for row in dataset.learn})
        labels, fitted = read(dataset.learn, self._view(scores[0], keys).beliefs, None)
        memory = remember(labels) | {query: {"known by heart": 1.0} for query in also_learned}
        artifacts = self.registry.artifacts
        manifest = Manifest(
            name, memory=artifacts.put(write_memory(memory, dataset.change)), fusion="linear", curve=fitted
        )
        lineage = {"data_as_of": dataset.as_of.isoformat(), "evidence_change": dataset.change}
        status: Status = "approved" if gate.passed else "refused"
        version = Version(
            DEFAULT_COLLECTION, name, CHAMPION, status, gate.reason, manifest, lineage, gate.metrics, self.clock.now()
        )  # fmt: skip
        self.registry.register(version)
        return gate.metrics

    def compare(
        self, version: str, kind: Kind, orders: tuple[Order, Order], traffic: LiveTraffic, random: np.random.Generator
    ) -> bool:
        """Run an experiment of the champion with a version to its end; return whether it found a difference."""
        plan = ExperimentPlan(
            f"{kind} of {version}",
            kind,
            CHAMPION,
            version,
            planned_searches=traffic.searches,
            min_days=1.0,
            max_days=6.0,
        )
        made = self.experiments.create(DEFAULT_COLLECTION, plan)
        running = self.experiments.start(DEFAULT_COLLECTION, made.id)
        self._fold(self._live(running, orders, traffic, random), timedelta(days=6) / traffic.searches)
        self.clock.advance(timedelta(hours=1))
        card = self.experiments.look(DEFAULT_COLLECTION, made.id)
        if not card.verdict.final:
            self.experiments.stop(DEFAULT_COLLECTION, made.id)
        return card.evidence.superior or card.evidence.inferior

    def diagnose(self, version: str) -> VersionDiagnosis:
        """Return what the product says of a version."""
        diagnoser = Diagnoser(
            *(self.engine, self.registry, self.experiments, self.clock),
            encode=encode,
            half_life_days=_HALF_LIFE_DAYS,
        )
        return diagnoser.diagnose(DEFAULT_COLLECTION, version)

    def _view(self, scores: Scores, keys: list[str]) -> View:
        tops = {key: self.world.rank(scores, key)[:DEPTH] for key in keys}
        beliefs = sharpen([(self.world.names[key], scores[key].astype(np.float32)) for key in keys])
        return View(tops, dict(zip(keys, beliefs, strict=True)))

    def _history(self, count: int, orders: list[Order], users: Users, random: np.random.Generator) -> Iterator[Records]:
        for user, query in self.world.ask(count, random):
            results = _alone(orders[int(random.integers(len(orders)))](query)[:DEPTH])
            yield self._answer(
                Impression(*self._asked(user, query, random), tuple(results), self.clock.now()),
                users,
                self.world,
                random,
            )

    def _live(
        self, experiment: Experiment, orders: tuple[Order, Order], traffic: LiveTraffic, random: np.random.Generator
    ) -> Iterator[Records]:
        mixed, world = experiment.plan.kind == "interleaving", traffic.world or self.world
        for user, query in self.world.ask(traffic.searches, random, traffic.unknown):
            lists, arm = [order(query)[:DEPTH] for order in orders], arm_of(user)
            results = _draft(lists, random) if mixed else _alone(lists[arm])
            shown = Impression(
                *(*self._asked(user, query, random), tuple(results), self.clock.now(), experiment.id),
                arm=INTERLEAVED if mixed else experiment.plan.arms[arm].name,
                drawn_by=user,
                run=experiment.run,
                plan_hash=experiment.plan.hash,
                first_difference=first_difference(lists) if mixed else 0,
                known=True,
                took_ms=float(random.lognormal(_LOG_MS + traffic.slower * (arm and not mixed), _SPREAD_MS)),
            )
            yield self._answer(shown, traffic.users, world, random)

    def _asked(self, user: str, query: str, random: np.random.Generator) -> tuple[str, str, str, str, str]:
        return DEFAULT_COLLECTION, f"q-{int(random.integers(2**62)):x}", query, user, CHAMPION

    def _answer(self, shown: Impression, users: Users, world: QueryWorld, random: np.random.Generator) -> Records:
        """Return a list and the clicks on it."""
        relevant = world.is_relevant(shown.query, [one.id for one in shown.results])
        clicked = [shown.results[rank - 1] for rank in users.clicks(relevant, shown.took_ms, random)]
        events = [
            FeedbackEvent(
                *(DEFAULT_COLLECTION, f"{shown.query_id}/{one.rank}", "click", shown.query_id, one.id, shown.unit),
                value=0.0,
                at=shown.at,
                received_at=shown.at,
            )
            for one in clicked
        ]
        return [shown, *events]

    def _fold(self, answers: Iterator[Records], step: timedelta) -> None:
        waiting: Records = []
        for records in answers:
            self.clock.advance(step)
            waiting += records
            if len(waiting) >= _BATCH:
                self._take(waiting)
                waiting = []
        self._take(waiting)

    def _take(self, records: Records) -> None:
        with transaction(self.engine) as connection:
            fold_batch(connection, records, _SETTINGS)


def arm_of(user: str) -> int:
    """Return the arm of a user in an A/B test of two equal arms."""
    return int(user.rpartition("-")[2]) % 2


def _draft(lists: list[Ranking], random: np.random.Generator) -> list[ShownResult]:
    ranks = [{name: rank for rank, name in enumerate(names, 1)} for names in lists]
    return [
        ShownResult(
            *(slot.document_id, rank, 1 / rank, slot.team, slot.propensity),
            own_ranks=tuple(own.get(slot.document_id, 0) for own in ranks),
        )
        for rank, slot in enumerate(interleave(lists, DEPTH, int(random.integers(2**63))), 1)
    ]


def _alone(ranking: Ranking) -> list[ShownResult]:
    return [ShownResult(name, rank, 1 / rank) for rank, name in enumerate(ranking, 1)]


def _read_by(
    curve: ClickCurve, evidence: list[Evidence], prior: Mapping[str, Mapping[str, float]], _: ClickCurve | None
) -> tuple[list[Label], ClickCurve]:
    return label(evidence, prior, curve)


@contextmanager
def open_store(world: QueryWorld) -> Iterator[ProductStore]:
    """Yield an empty store."""
    with TemporaryDirectory(prefix="clickloop-bench-") as folder:
        store = ProductStore(Path(folder), world)
        schema.upgrade(store.engine)
        yield store
        store.engine.dispose()
