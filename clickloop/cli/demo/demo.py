"""`clickloop demo`: a real help centre whose search learns from simulated users, over HTTP, start to end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from clickloop.cli.demo.background_service import BackgroundService
from clickloop.cli.demo.background_traffic import BackgroundTraffic
from foundation.clock import monotonic_s
from foundation.errors import ClickloopError, NotFound
from foundation.http_client import ServiceClient
from simulator.collection import JudgedCollection
from simulator.docstrings import docstrings
from simulator.driver import Driver
from simulator.help_centre import help_centre
from simulator.tally import Experience
from simulator.traffic import Traffic
from simulator.users import make_population
from simulator.visit_events import Habits

CLOCK_SPEED = 3000.0
"""One second of the demo is fifty minutes of its users' lives."""

_HABITS = Habits(rating_share=0.2)
"""Its users rate often, for it is short."""

_JUDGED_QUERIES = 500
_EARLY_CLICKS = 300
_LAST_CLICKS = 400
_CLICKS = 2500
_LOOK_AGAIN_S = 0.5
_LOOK_AT_EXPERIMENT_S = 3.0
_LOAD_TIMEOUT_S = 600.0
_BAR_WIDTH = 16
_RUN_TIMEOUT_S = 900.0


@dataclass(frozen=True, slots=True)
class Swap:
    """What users noticed of the swap: requests answered around it, and how many failed."""

    served: int
    failed: int
    retried: int


@dataclass(slots=True)
class Story:
    """What happened, for the report.

    Attributes:
        before: nDCG@10 by held-out query under the first version.
        after: The same under the last one.
        lists_before: Top ids by held-out query.
        experiences: What users did with the lists that one version ranked alone, by version, the first one first.
        runs: Training runs as the service tells them.
    """

    source: str
    documents: int = 0
    before: dict[str, float] = field(default_factory=dict)
    after: dict[str, float] = field(default_factory=dict)
    lists_before: dict[str, list[str]] = field(default_factory=dict)
    lists_after: dict[str, list[str]] = field(default_factory=dict)
    experiences: Mapping[str, Experience] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    experiments: list[dict[str, Any]] = field(default_factory=list)
    searches: int = 0
    clicks: int = 0
    swap: Swap | None = None
    clock_days: float = 0.0
    seconds: float = 0.0


def get_collection(cache: Path, console: Console) -> tuple[str, JudgedCollection]:
    """Return the help centre, or where Debian's packages are out of reach the installed docstrings."""
    try:
        return "LibreOffice help centre", help_centre(cache)
    except NotFound as absent:
        console.print(f"[yellow]{absent.detail}[/yellow]\nDocstrings of installed packages serve instead.")
        return "docstrings of numpy, scipy and torch", docstrings(cache)


class Demo:
    """One run of the loop against a service of its own; its home keeps what was downloaded and embedded."""

    def __init__(self, home: Path, console: Console, seed: int, clicks: int = _CLICKS) -> None:
        self._home = home
        self._console = console
        self.seed = seed
        self._clicks = clicks
        self.service = BackgroundService(home, CLOCK_SPEED)

    def run(self) -> Story:
        """Run the loop once and return what happened; the service stays up."""
        started = monotonic_s()
        with self._progress() as progress:
            story, collection = self._prepare(progress)
            driver = self._driver(collection)
            story.before, story.lists_before = self._judge(progress, driver, collection, "quality before")
            traffic = BackgroundTraffic(driver)
            with traffic:
                self._live(progress, traffic, story)
            story.searches, story.clicks = traffic.tally.searches, traffic.tally.clicks
            story.experiences = traffic.tally.experiences
            story.after, story.lists_after = self._judge(progress, driver, collection, "quality after")
        remote = self._remote
        story.runs = remote.get("/v1/training-runs")
        story.experiments = [
            remote.get(f"/v1/experiments/{run['experiment']}") for run in story.runs if run["experiment"]
        ]
        story.seconds = monotonic_s() - started
        story.clock_days = (monotonic_s() - started) * CLOCK_SPEED / 86400
        return story

    def measure(self) -> dict[str, float]:
        """Return nDCG@10 by held-out query as the service ranks now, leaving no trace in its log."""
        _, collection = get_collection(self._home / "corpus", self._console)
        with closing(self._driver(collection)) as driver:
            return driver.evaluate(pick_judged(collection, self.seed))

    @property
    def _remote(self) -> ServiceClient:
        return ServiceClient(self.service.url)

    def _progress(self) -> Progress:
        name = TextColumn("{task.description}", table_column=Column(no_wrap=True))
        note = TextColumn("{task.fields[note]}")
        columns = (SpinnerColumn(), name, BarColumn(bar_width=_BAR_WIDTH), note)
        return Progress(*columns, TimeElapsedColumn(), console=self._console)

    def _prepare(self, progress: Progress) -> tuple[Story, JudgedCollection]:
        task = progress.add_task("documents", total=None, note="fetching and reading pages")
        source, collection = get_collection(self._home / "corpus", self._console)
        story = Story(source, len(collection.documents))
        progress.update(task, note="starting the service; the first time the encoder is converted (30 s)")
        self.service.start()
        self._driver(collection).load_documents()
        progress.update(task, total=story.documents)
        self._await_documents(progress, task, story.documents, "searchable by their words", with_meaning=False)
        self._answer(collection)
        self._await_documents(progress, task, story.documents, "searchable", with_meaning=True)
        return story, collection

    def _await_documents(self, progress: Progress, task: TaskID, wanted: int, what: str, *, with_meaning: bool) -> None:
        """Wait until all documents are found by their words, or by their meaning too."""
        deadline = monotonic_s() + _LOAD_TIMEOUT_S
        while (count := self._searchable(with_meaning=with_meaning)) < wanted:
            progress.update(task, completed=count, note=f"{count} of {wanted} {what}")
            if monotonic_s() > deadline:
                raise ClickloopError(f"only {count} documents became {what}; read {self.service.log_path}")
            time.sleep(_LOOK_AGAIN_S)
        progress.update(task, completed=count, note=f"{count} {what}")

    def _answer(self, collection: JudgedCollection) -> None:
        """Show what a first search finds, by words where meaning is still to come."""
        text = collection.queries[pick_judged(collection, self.seed)[0]]
        for hit in self._driver(collection).look(text, k=1):
            self._console.print(f'A first search: "{text}" finds {hit["title"]}.')

    def _searchable(self, *, with_meaning: bool) -> int:
        """Return how many documents are found by their words, or of those only the ones found by meaning too."""
        state = self._remote.get("/readyz")["collections"].get("default", {})
        return int(state.get("documents", 0)) - with_meaning * int(state.get("waiting", 0))

    def _driver(self, collection: JudgedCollection) -> Driver:
        people = make_population("mixed", max_grade=collection.max_grade)
        traffic = Traffic(collection, self.seed)
        return Driver(self.service.url, collection, people, traffic, concurrency=3, habits=_HABITS)

    def _judge(
        self, progress: Progress, driver: Driver, collection: JudgedCollection, name: str
    ) -> tuple[dict[str, float], dict[str, list[str]]]:
        queries = pick_judged(collection, self.seed)
        task = progress.add_task(name, total=1, note=f"{len(queries)} held-out queries, never clicked")
        lists = driver.rankings(queries)
        scores = driver.evaluate(queries)
        progress.update(task, completed=1, note=f"nDCG@10 {np.mean(list(scores.values())):.4f}")
        return scores, lists

    def _live(self, progress: Progress, traffic: BackgroundTraffic, story: Story) -> None:
        self._await_clicks(progress, traffic, min(_EARLY_CLICKS, self._clicks // 4), "first clicks")
        self._train(progress, traffic, story, "early training", autopilot=False)
        self._await_clicks(progress, traffic, self._clicks, "users search and click")
        self._train(progress, traffic, story, "autopilot", autopilot=True)

    def _await_clicks(self, progress: Progress, traffic: BackgroundTraffic, clicks: int, name: str) -> None:
        task = progress.add_task(name, total=clicks, note="")
        while traffic.tally.clicks < clicks:
            traffic.check()
            tally = traffic.tally
            progress.update(task, completed=tally.clicks, note=f"{tally.searches} searches, {tally.clicks} clicks")
            time.sleep(_LOOK_AGAIN_S)
        progress.update(task, completed=clicks)

    def _train(self, progress: Progress, traffic: BackgroundTraffic, story: Story, name: str, autopilot: bool) -> None:
        run = self._remote.post("/v1/training-runs", {"autopilot": autopilot})
        task = progress.add_task(name, total=None, note="")
        deadline = monotonic_s() + _RUN_TIMEOUT_S
        step_started = traffic.tally
        while run["state"] == "active" and monotonic_s() < deadline:
            traffic.check()
            time.sleep(_LOOK_AGAIN_S)
            before = traffic.tally
            step = run["step"]
            run = self._remote.get(f"/v1/training-runs/{run['id']}")
            if run["step"] != step and step == "interleave":
                step_started = before
            progress.update(task, note=self._tell(run))
        progress.update(task, total=1, completed=1, note=f"{run['state']}: {run['report'].get('end', '')}"[:110])
        if run["state"] == "promoted":
            self._await_clicks(progress, traffic, traffic.tally.clicks + _LAST_CLICKS, "users of the new version")
            ended, began = traffic.tally, step_started
            story.swap = Swap(
                ended.searches - began.searches, ended.failed - began.failed, ended.retried - began.retried
            )

    def _tell(self, run: dict[str, Any]) -> str:
        if run["step"] == "interleave" and run["experiment"]:
            time.sleep(_LOOK_AT_EXPERIMENT_S)  # its reading counts all its searches
            card = self._remote.get(f"/v1/experiments/{run['experiment']}")
            return f"experiment: {card['searches']} searches, {card['progress']:.0%} of the plan"
        return f"{run['step']}: {run['report'].get('doing', '')}"


def pick_judged(collection: JudgedCollection, seed: int) -> list[str]:
    """Return the held-out queries that the demo judges, the same before and after."""
    queries = sorted(collection.split("test"))
    count = min(_JUDGED_QUERIES, len(queries))
    chosen: list[str] = np.random.default_rng(seed).choice(queries, count, replace=False).tolist()
    return chosen
