"""A run is trained once and its row written by who holds its lease, whoever was paused, killed or taken over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from clickloop import training
from clickloop.container import Container
from clickloop.training import train_for_run
from foundation.clock import FrozenClock
from foundation.contracts import Manifest
from foundation.database.leases import Lease, LeaseLost, Leases
from foundation.errors import ClickloopError
from foundation.registry.registry import Version
from foundation.settings import Settings
from retrainer import workers as worker
from retrainer.runs import Run, RunMoved, Runs
from retrainer.workers import Workers, run_lease

CANDIDATE = Manifest(encoder="e", fusion="rrf")


@dataclass
class Process:
    """A training process that does what the test says."""

    arguments: tuple[str, ...]
    code: int | None = None

    def poll(self) -> int | None:
        """Tell how it ended."""
        return self.code

    def wait(self) -> int:
        """Tell how it ended, which it has."""
        assert self.code is not None
        return self.code

    stdin = None

    @property
    def lease_number(self) -> int:
        """The number that it was told."""
        return int(self.arguments[self.arguments.index("--lease") + 1])


@dataclass
class Place:
    """Two retrainers over one database."""

    engine: sa.Engine
    clock: FrozenClock
    runs: Runs
    settings: Settings
    processes: list[Process] = field(default_factory=list)

    def workers(self, name: str) -> Workers:
        """Return what one retrainer starts processes with."""
        return Workers(
            self.runs,
            Leases(self.engine, self.clock, name),
            lease_duration=self.settings.lease_duration(),
            environment=self.settings.to_environment(),
        )

    def start(self, _module: str, *arguments: str, environment: Mapping[str, str], **_: Any) -> Process:
        """Start no process."""
        assert environment
        self.processes.append(Process(arguments))
        return self.processes[-1]

    def renew(self, run: Run, process: Process) -> bool:
        """Do what a living training process does beside its work."""
        leases = Leases(self.engine, self.clock, "training")
        return leases.renew(Lease(run_lease(run.id), process.lease_number), self.settings.lease_duration())

    def finish(self, run: Run, version: str) -> None:
        """Do what a training process does at its end."""
        self.runs.advance(self.runs.get(run.collection, run.id), "train", version=version)


@pytest.fixture
def place(any_engine: sa.Engine, clock: FrozenClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(any_engine, clock, Runs(any_engine, clock), Settings(_env_file=None, home=tmp_path))
    monkeypatch.setattr(worker, "start_child", made.start)
    return made


def test_a_training_that_goes_on_is_not_begun_by_who_takes_over(place: Place) -> None:
    run = place.runs.request("default", autopilot=False)
    one, other = place.workers("one"), place.workers("other")
    assert one.train(run) == "running"
    for _ in range(4):  # `one` is paused, its training process is not
        place.clock.advance(timedelta(seconds=20))
        assert place.renew(run, place.processes[0])
        assert other.train(run) == "running"
    place.finish(run, "v-1")
    place.processes[0].code = 0
    place.clock.advance(timedelta(seconds=40))

    assert other.train(run) == "finished"
    assert one.train(run) == "finished"
    assert len(place.processes) == 1


def test_a_training_that_stood_still_is_begun_anew_and_says_nothing_any_more(place: Place) -> None:
    run = place.runs.request("default", autopilot=False)
    one, other = place.workers("one"), place.workers("other")
    one.train(run)
    place.clock.advance(timedelta(seconds=40))
    assert other.train(run) == "running"
    stale, fresh = place.processes
    assert fresh.lease_number > stale.lease_number
    assert not place.renew(run, stale)
    leases = Leases(place.engine, place.clock, "training")
    with leases.guarded(Lease(run_lease(run.id), stale.lease_number)), pytest.raises(LeaseLost):
        place.finish(run, "v-stale")

    stale.code = 1
    assert one.train(run) == "running"  # what became of the stale one is not what became of the run
    place.finish(run, "v-fresh")
    fresh.code = 0
    assert other.train(run) == "finished"
    assert one.train(run) == "finished"
    assert len(place.processes) == 2
    assert place.runs.get("default", run.id).version == "v-fresh"


@pytest.mark.parametrize(
    ("left", "state"), [({"version": "v-1"}, "finished"), ({"report": {"problem": "x"}}, "failed")]
)
def test_a_run_whose_training_ended_before_its_retrainer_was_killed_is_not_trained_again(
    place: Place, left: dict[str, Any], state: str
) -> None:
    run = place.runs.request("default", autopilot=False)
    place.workers("killed").train(run)
    place.runs.advance(run, "train", **left)
    place.clock.advance(timedelta(seconds=40))

    assert place.workers("heir").train(run) == state
    assert len(place.processes) == 1


def test_a_training_that_dies_fails_at_once(place: Place) -> None:
    run = place.runs.request("default", autopilot=False)
    one = place.workers("one")
    one.train(run)
    place.processes[0].code = 1
    assert one.train(run) == "failed"


def test_a_training_that_is_killed_is_begun_anew_but_not_for_ever(place: Place) -> None:
    run = place.runs.request("default", autopilot=False)
    one = place.workers("one")
    states = [one.train(run)]
    while states[-1] == "running" and len(states) < 20:
        place.processes[-1].code = -9
        states.append(one.train(run))

    assert states == ["running"] * 5 + ["failed"]
    assert len({process.lease_number for process in place.processes}) == len(place.processes) == 5


def test_a_training_that_lost_its_store_is_begun_anew(place: Place) -> None:
    run = place.runs.request("default", autopilot=False)
    one = place.workers("one")
    one.train(run)
    place.processes[0].code = worker.AGAIN
    assert one.train(run) == "running"
    first, second = place.processes
    assert second.lease_number > first.lease_number


def test_a_finished_run_is_not_overwritten_by_a_stale_row(place: Place) -> None:
    stale = place.runs.request("default", autopilot=False)
    ended = place.runs.end(stale, "approved", "better")
    with pytest.raises(RunMoved):
        place.runs.advance(stale, "plan", version="v-stale")
    with pytest.raises(RunMoved):
        place.runs.end(stale, "failed", "I slept")
    assert place.runs.get("default", stale.id) == ended


def version(clock: FrozenClock) -> Version:
    return Version("default", CANDIDATE.id, "", "approved", "better", CANDIDATE, {}, {}, clock.now())


@pytest.fixture
def container(place: Place, tmp_path: Path) -> Container:
    made = Container(Settings(_env_file=None, home=tmp_path, log_level="warning"))
    made.__dict__ |= {"engine": place.engine, "clock": place.clock, "snapshots": Cleared()}
    return made


class Cleared:
    """Copies of indexes, of which there are none."""

    def clear(self) -> None:
        """Remove none."""


def train_meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let a training be one during which something happens."""

    def train(
        container: Container, _collection: str, _run: str, _tell: object, register: Any, **_options: object
    ) -> None:
        happens()
        register(version(container.clock))  # type: ignore[arg-type]  # the clock of the test

    monkeypatch.setattr(training, "train", train)


def test_a_training_registers_its_version_with_the_row_of_its_run(
    place: Place, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = place.runs.request("default", autopilot=False)
    place.workers("one").train(run)
    train_meanwhile(monkeypatch, lambda: None)

    train_for_run(container, "default", run.id, place.processes[0].lease_number)

    assert place.runs.get("default", run.id).version == CANDIDATE.id
    assert container.registry.get("default", CANDIDATE.id).status == "approved"


@pytest.mark.parametrize("fails", [False, True])
def test_a_training_that_lost_its_lease_registers_nothing_and_tells_no_problem(
    place: Place, container: Container, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    run = place.runs.request("default", autopilot=False)
    place.workers("one").train(run)

    def stand_still() -> None:
        place.clock.advance(timedelta(seconds=40))
        place.workers("other").train(run)
        if fails:
            raise ClickloopError("out of luck")

    train_meanwhile(monkeypatch, stand_still)
    with pytest.raises(LeaseLost):
        train_for_run(container, "default", run.id, place.processes[0].lease_number)

    assert container.registry.list("default") == []
    assert place.runs.get("default", run.id) == run
