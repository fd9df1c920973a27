"""A trainer that stands still beyond its lease writes nothing over what another one did meanwhile."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.harness.server import children
from clickloop.container import Container
from collector.join.batch import fold_batch
from foundation.contracts import FeedbackEvent, Impression, ShownResult
from foundation.database.engine import transaction
from foundation.database.tables import leases
from foundation.processes.children import start_child, wait_for
from foundation.settings import Settings
from retrainer.runs import Run
from retrainer.schedule import LEASE
from retrainer.workers import run_lease

TIMEOUT_S = 240.0
STALE_S = 5.0
_WORDS = ("quickly", "again", "twice", "safely", "abroad", "tomorrow", "neatly", "alone")


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@contextmanager
def trainer(settings: Settings) -> Iterator[int]:
    """Keep the schedule in a process of its own; give its number."""
    process = start_child("clickloop", "retrain", environment=os.environ | settings.to_environment())
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        wait_for(process)


@dataclass
class Story:
    """One run and who trained it."""

    container: Container

    def request(self) -> Run:
        """Let people click, then ask for a run."""
        now = self.container.clock.now() - timedelta(hours=1)
        records: list[Impression | FeedbackEvent] = []
        documents = self.container.catalog.changes("default", 0, 100)
        for number, (word, good) in enumerate(product(_WORDS, documents)):
            other = documents[(number + 7) % len(documents)]
            shown = (ShownResult(other.id, 1, 2.0), ShownResult(good.id, 2, 1.0))
            for user in range(3):
                name, unit = f"q{number}-{user}", f"u{number}-{user}"
                records.append(Impression("default", name, f"{good.title} {word}", unit, "v", shown, now))
                records.append(FeedbackEvent("default", f"{name}/c", "click", name, good.id, unit, 0.0, now, now))
        with transaction(self.container.engine) as connection:
            fold_batch(connection, records, self.container.settings)
        return self.container.runs.request("default", autopilot=False)

    def now(self, run: Run) -> Run:
        """Return the run as it stands."""
        return self.container.runs.get("default", run.id)

    def versions(self, run: Run) -> list[str]:
        """Return the versions that were registered for the run."""
        found = self.container.registry.list("default", 100)
        return [one.id for one in found if one.lineage.get("training_run") == run.id]

    def let_run_out(self, *names: str) -> None:
        """Do to some leases what half a minute without a word does."""
        with transaction(self.container.engine) as connection:
            connection.execute(
                sa.update(leases).where(leases.c.name.in_(names)).values(until=self.container.clock.now())
            )


@pytest.fixture
def story(home_settings: Settings, documents: list[dict[str, Any]]) -> Iterator[Story]:
    container = Container(home_settings)
    container.catalog.merge("default", {one["id"]: {"title": one["title"], "text": one["text"]} for one in documents})
    yield Story(container)
    container.log.close()
    container.engine.dispose()


def stop(*processes: int) -> None:
    for process in processes:
        os.kill(process, signal.SIGSTOP)


def go_on(*processes: int) -> None:
    for process in processes:
        os.kill(process, signal.SIGCONT)


def runs(process: int) -> bool:
    """Return whether a process does anything; one that ended and nobody asked about does not."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(800)
def test_a_trainer_and_its_training_that_were_paused_change_nothing_of_the_finished_run(story: Story) -> None:
    run = story.request()
    with trainer(story.container.settings) as paused:
        wait_until(lambda: "doing" in story.now(run).report, "nothing is learned")
        (training,) = children(paused)
        stop(paused, training)
        story.let_run_out(LEASE, run_lease(run.id))
        with trainer(story.container.settings):
            wait_until(lambda: story.now(run).state != "active", "nobody took over")
            ended, made = story.now(run), story.versions(run)
            assert ended.state in ("approved", "refused"), ended.report
            assert made == [ended.version]

            go_on(paused, training)

            wait_until(lambda: not runs(training), "the stale one trains on")
            time.sleep(STALE_S)
            assert story.now(run) == ended
            assert story.versions(run) == made
            assert not any(map(runs, children(paused)))


@pytest.mark.slow
@pytest.mark.timeout(800)
def test_a_training_whose_trainer_alone_was_paused_is_finished_and_not_begun_again(story: Story) -> None:
    run = story.request()
    with trainer(story.container.settings) as paused:
        wait_until(lambda: "doing" in story.now(run).report, "nothing is learned")
        (training,) = children(paused)
        stop(paused)
        story.let_run_out(LEASE)
        with trainer(story.container.settings) as heir:
            begun: set[int] = set()

            def is_over() -> bool:
                begun.update(children(heir))
                return story.now(run).state != "active"

            wait_until(is_over, "nobody took over")
            assert begun == set()
            assert story.versions(run) == [story.now(run).version]
            go_on(paused)
            time.sleep(STALE_S)
            assert not runs(training)
            assert story.now(run).state != "active"
