"""Decisions that are audited after late clicks and holds: every one must come out again bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory

import numpy as np
import sqlalchemy as sa

from ab_testing.api import Experiment, ExperimentPlan, Experiments
from ab_testing.design.plan import Kind
from benchmarks.harness.report import Bar, at_least
from collector.join.batch import fold_batch
from collector.quarantine.quarantine import Quarantine
from foundation.clock import FrozenClock
from foundation.contracts import EventType, FeedbackEvent, Impression, ShownResult
from foundation.database import schema
from foundation.database.engine import make_engine, transaction
from foundation.settings import Settings

EXPERIMENTS, QUICK_EXPERIMENTS = 200, 20
LATE_CLICKS = 1000
HOLDS = 20
_USERS = 40
_SEARCHES = 60
_RESULTS = 5


def run(seed: int, quick: bool) -> list[Bar]:
    """Return bar "ab.audit": decisions that an audit reproduces, of 200 (quick: 20)."""
    count = QUICK_EXPERIMENTS if quick else EXPERIMENTS
    with TemporaryDirectory(prefix="clickloop-bench-") as folder:
        engine = make_engine(f"sqlite:///{folder}/audits.db")
        schema.prepare(engine, "run")
        reproduced = _reproduced(engine, np.random.default_rng(seed), count)
        engine.dispose()
    what = f"of {count} decisions reproduced bit for bit after {LATE_CLICKS} late clicks and {HOLDS} holds"
    return [at_least("ab.audit", f"share {what}", reproduced / count, 1.0)]


def _reproduced(engine: sa.Engine, random: np.random.Generator, count: int) -> int:
    clock = FrozenClock(datetime(2026, 1, 5, 8, tzinfo=UTC))
    experiments, settings = Experiments(engine, clock), Settings()
    lists: list[Impression] = []
    ids: list[str] = []
    for number in range(count):
        experiment = _start(experiments, number)
        ids.append(experiment.id)
        records = list(_traffic(experiment, random, clock.now()))
        lists += [record for record in records if isinstance(record, Impression)]
        _fold(engine, records, settings)
        clock.advance(timedelta(hours=6))
        card = experiments.look("default", experiment.id)
        if not card.verdict.final:
            experiments.stop("default", experiment.id)
    late = random.choice(len(lists), LATE_CLICKS, replace=len(lists) < LATE_CLICKS)
    _fold(engine, [_click(lists[place], f"late-{n}", random) for n, place in enumerate(late)], settings)
    quarantine = Quarantine(engine, settings, clock)
    for user in range(HOLDS):
        quarantine.hold("default", f"user-{user}")
    audited = [one for id_ in ids for one in experiments.audit("default", id_)]
    return sum(one.reproduced for one in audited)


def _start(experiments: Experiments, number: int) -> Experiment:
    kind: Kind = "interleaving" if number % 3 == 0 else "ab"
    plan = ExperimentPlan(
        f"audited {number}",
        kind,
        "v-1",
        "v-2",
        planned_searches=_SEARCHES // (1 + number % 2),
        min_days=0.0,
        max_days=1.0,
        success=("preference",) if kind == "interleaving" else (("click_rate", "csat", "resolution")[number % 3],),
        recontact_days=0.0,
    )
    return experiments.start("default", experiments.create("default", plan).id)


def _traffic(experiment: Experiment, random: np.random.Generator, at: datetime) -> Iterator[Impression | FeedbackEvent]:
    arms = experiment.plan.arm_names
    for number in range(_SEARCHES):
        user = int(random.integers(_USERS))
        moment = at + timedelta(seconds=int(random.integers(3600)))
        shown = Impression(
            collection="default",
            query_id=f"{experiment.id}-{number}",
            query=f"query {number % 7}",
            unit=f"user-{user}",
            version="v-1",
            results=tuple(_result(rank, random, interleaved=len(arms) == 1) for rank in range(1, _RESULTS + 1)),
            at=moment,
            experiment=experiment.id,
            arm=arms[user % len(arms)],
            drawn_by=f"user-{user}",
            run=experiment.run,
            plan_hash=experiment.plan.hash,
            first_difference=1,
            known=True,
            took_ms=float(random.lognormal(2, 0.5)),
        )
        yield shown
        if random.random() < 0.6:
            yield _click(shown, f"{shown.query_id}/click", random)
        if random.random() < 0.5:
            stars = float(random.integers(1, 6))
            yield _event(shown, f"{shown.query_id}/stars", "rating", "d1", stars)
        yield _event(shown, f"{shown.query_id}/end", "resolved" if random.random() < 0.6 else "unresolved", "", 0.0)


def _result(rank: int, random: np.random.Generator, *, interleaved: bool) -> ShownResult:
    team = ("control", "treatment")[int(random.integers(2))] if interleaved else ""
    return ShownResult(f"d{rank}", rank, 1 / rank, team=team)


def _click(shown: Impression, id_: str, random: np.random.Generator) -> FeedbackEvent:
    return _event(shown, id_, "click", f"d{int(random.integers(1, _RESULTS + 1))}", 0.0)


def _event(shown: Impression, id_: str, kind: EventType, document: str, value: float) -> FeedbackEvent:
    at = shown.at + timedelta(seconds=20)
    return FeedbackEvent(shown.collection, id_, kind, shown.query_id, document, shown.unit, value, at, at)


def _fold(engine: sa.Engine, records: list[Impression | FeedbackEvent], settings: Settings) -> None:
    with transaction(engine) as connection:
        fold_batch(connection, records, settings)
