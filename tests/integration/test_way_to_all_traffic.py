"""A candidate goes from interleaving through an A/B test to all traffic and its holdback, whatever is killed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ab_testing.api import Experiment, Experiments
from collector.join.batch import fold_batch
from foundation.access.actors import AUTOPILOT
from foundation.clock import FrozenClock
from foundation.contracts import FeedbackEvent, Impression, Manifest, ShownResult
from foundation.database.engine import transaction
from foundation.registry.artifacts import ArtifactStore
from foundation.registry.registry import Registry, Version
from foundation.settings import Settings
from retrainer.autopilot.autopilot import Training
from retrainer.hotswap import HotSwap
from retrainer.runs import Run, Runs, Step
from tests.autopilots import AutopilotParts, make_autopilot

OLD, NEW, THEIRS = (Manifest(encoder="e", weights={"bm25": weight}) for weight in (1.0, 2.0, 3.0))
LIKED = {"interleave": "treatment", "compare": "both", "holdback": "both"}
"""Whom users click at each step."""

SEARCHES = 400


class Killed(Exception):
    """The process died before it could record what it had done."""


class DyingRuns(Runs):
    """Training runs whose every first record of a kind is lost with its process."""

    lost: set[str]

    def advance_in(self, connection: sa.Connection, run: Run, step: Step, **changes: Any) -> Run:
        """Die the first time; record the second time."""
        what = f"{run.step} {step} {sorted(changes)} {sorted(changes.get('report', {}))}"
        if what not in self.lost:
            self.lost.add(what)
            raise Killed(what)
        return super().advance_in(connection, run, step, **changes)


@dataclass
class Town(AutopilotParts):
    """An autopilot, and users who click as the test says."""

    searches: int = 0
    visited: set[str] = field(default_factory=set)

    def advance(self, run: Run) -> Run:
        """Take one step in a process of its own, which looks at the experiments first."""
        for experiment in self.experiments.running():
            self.experiments.look("default", experiment.id)
        autopilot = make_autopilot(self, self._train)
        try:
            return autopilot.advance(self.runs.get("default", run.id))
        except Killed:
            return self.runs.get("default", run.id)

    def _train(self, run: Run) -> Training:
        if not run.version:
            version = Version("default", NEW.id, OLD.id, "approved", "", NEW, {}, {"change": 0.03}, self.clock.now())
            self.registry.register(version)
            self.runs.advance(run, "train", version=NEW.id)
        return "finished"

    def live(self, run: Run, liked: Mapping[str, str] = LIKED, until: str = "done") -> Run:
        """Let days pass with users in whatever runs, until a step is reached."""
        for _ in range(60):
            run = self.advance(run)
            if run.step == until or run.state != "active":
                return run
            for experiment in self.experiments.running():
                if experiment.id not in self.visited:
                    self.visit(experiment, liked[run.step])
            self.clock.advance(timedelta(days=1))
        raise AssertionError(f"the run still stands at {run.step}: {run.report}")

    def visit(self, experiment: Experiment, liked: str) -> None:
        """Let as many users as are planned search once and click what they like."""
        self.visited.add(experiment.id)
        now, plan = self.clock.now() + timedelta(seconds=1), experiment.plan
        records: list[Impression | FeedbackEvent] = []
        every = round(1 / plan.shares[0])
        for number in range(SEARCHES):
            self.searches += 1
            name, arm = f"s{self.searches}", "interleaved"
            teams = ("treatment", "control") if number % 2 else ("control", "treatment")
            wanted: int | None = teams.index(liked) if liked in teams else None
            if plan.kind == "ab":
                arm = "control" if number % every == 0 else "treatment"
                teams, wanted = ("", ""), 0 if liked in (arm, "both") else None
            results = tuple(ShownResult("ab"[rank], rank + 1, 1.0, team, 0.5) for rank, team in enumerate(teams))
            shown = Impression("default", name, name, f"u{number}", OLD.id, results, now, experiment.id, arm)
            records.append(replace(shown, drawn_by=f"u{number}", run=experiment.run, known=True))
            if wanted is not None and not (plan.kind == "interleaving" and number % 5 == 0):
                records.append(FeedbackEvent("default", f"{name}c", "click", name, "ab"[wanted], "", 0.0, now, now))
        with transaction(self.engine) as connection:
            fold_batch(connection, records, self.settings)

    def stages(self) -> list[str]:
        """Return the aims of all experiments, the first one first."""
        return [one.plan.aim for one in reversed(self.experiments.list("default"))]


@pytest.fixture
def town(any_engine: sa.Engine, clock: FrozenClock, tmp_path: Path) -> Town:
    registry = Registry(any_engine, ArtifactStore(str(tmp_path / "artifacts")))
    experiments = Experiments(any_engine, clock, champion=registry.champion)
    hotswap = HotSwap(any_engine, registry, clock, end_experiments=experiments.end_for)
    hotswap.install("default", OLD)
    registry.register(Version("default", THEIRS.id, "", "approved", "", THEIRS, {}, {}, clock.now()))
    settings = Settings(home=tmp_path, experiment_searches=SEARCHES, experiment_days=9.0, false_promotions_a_year=9.0)
    return Town(any_engine, clock, Runs(any_engine, clock), registry, experiments, hotswap, settings)


def request(town: Town) -> Run:
    return town.runs.request("default", autopilot=True)


def test_a_good_candidate_passes_every_step_and_stays(town: Town) -> None:
    run = town.live(request(town))
    assert (run.state, run.step) == ("promoted", "done")
    assert run.report["end"].startswith("it stays: no harm is proven")
    assert town.stages() == ["gain", "no_harm", "holdback"]
    assert [run.report[stage]["verdict"] for stage in ("interleave", "compare", "holdback")] == ["promote"] * 3
    assert town.registry.champion("default") == NEW.id
    holdback = town.experiments.get("default", run.experiment)
    assert holdback.ended_at is not None
    assert holdback.days(holdback.ended_at) >= 14


def test_killed_before_every_record_it_still_happens_once(town: Town) -> None:
    dying = DyingRuns(town.engine, town.clock)
    dying.lost = set()
    run = request(town)
    town.runs = dying
    run = town.live(run)
    assert len(dying.lost) > 10
    assert (run.state, town.stages()) == ("promoted", ["gain", "no_harm", "holdback"])
    assert [move.version for move in town.registry.moves("default")] == [NEW.id, OLD.id]


def test_harm_in_the_holdback_rolls_back_once_though_it_is_killed(town: Town) -> None:
    run = town.live(request(town), until="holdback")
    dying = DyingRuns(town.engine, town.clock)
    dying.lost = set()
    town.runs = dying
    run = town.live(run, LIKED | {"holdback": "control"})
    assert run.state == "rolled_back"
    assert "click_rate" in run.report["end"]
    moves = town.registry.moves("default")
    assert [(move.version, move.kind) for move in moves[:2]] == [(OLD.id, "rollback"), (NEW.id, "promotion")]
    assert moves[0].actor == AUTOPILOT
    assert len(moves) == 3


def test_harm_in_the_ab_test_drops_what_won_by_interleaving(town: Town) -> None:
    run = town.live(request(town), LIKED | {"compare": "control"})
    assert (run.state, town.registry.champion("default")) == ("dropped", OLD.id)
    assert town.registry.get("default", NEW.id).status == "refused"


@pytest.mark.parametrize("step", ["interleave", "compare"])
def test_a_champion_moved_by_hand_ends_the_way(town: Town, step: str) -> None:
    run = town.live(request(town), until=step)
    run = town.advance(run)
    town.hotswap.promote("default", THEIRS.id, "the sale begins", "key:maria")
    run = town.advance(run)
    assert (run.state, town.registry.champion("default")) == ("dropped", THEIRS.id)
    assert "the sale begins" in run.report["end"]
    assert town.experiments.running() == ()
    assert town.registry.get("default", NEW.id).status == "approved"


def test_a_champion_moved_by_hand_ends_the_holdback(town: Town) -> None:
    run = town.advance(town.live(request(town), until="holdback"))
    town.hotswap.rollback("default", "regret", "key:maria", expected=NEW.id)
    run = town.advance(run)
    assert (run.state, town.registry.champion("default")) == ("promoted", OLD.id)
    assert "regret" in run.report["end"]


def test_the_next_candidate_is_not_promoted_during_a_holdback(town: Town) -> None:
    watched = town.advance(town.live(request(town), until="holdback"))
    path = watched.report["path"] | {"control": NEW.id}
    other = town.runs.advance(request(town), "promote", version=THEIRS.id, report={"path": path})
    assert town.advance(other).step == "promote"
    assert town.registry.champion("default") == NEW.id
    town.live(watched)
    town.advance(other)
    assert town.registry.champion("default") == THEIRS.id


def test_traffic_that_cannot_decide_starts_nothing(town: Town) -> None:
    town.settings = town.settings.model_copy(update={"experiment_searches": 0})
    run = town.live(request(town))
    assert (run.state, town.stages()) == ("approved", [])
    assert run.report["end"].startswith("not tested: nothing can be planned")


def test_a_spent_budget_starts_nothing(town: Town) -> None:
    town.settings = town.settings.model_copy(update={"schedule_hours": 365 * 24.0, "false_promotions_a_year": 0.02})
    assert town.live(request(town), LIKED | {"interleave": "control"}).state == "dropped"
    town.registry.set_status("default", NEW.id, "approved", "tried again", town.clock.now())
    run = town.live(request(town))
    assert (run.state, len(town.stages())) == ("approved", 1)
    assert "are spent" in run.report["end"]
    town.clock.advance(timedelta(days=366))
    assert town.live(request(town), until="interleave").step == "interleave"
