"""A service of a project's own with simulated users in front of it: they search and click, it learns, all over HTTP."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from clickloop.cli.demo.background_service import BackgroundService
from clickloop.cli.demo.demo import CLOCK_SPEED
from foundation.clock import monotonic_s
from foundation.contracts import DEFAULT_COLLECTION
from foundation.errors import ClickloopError, NotReady
from foundation.http_client import ServiceClient
from simulator.collection import JudgedCollection
from simulator.driver import Driver
from simulator.tally import Tally
from simulator.traffic import Traffic
from simulator.users import make_population
from simulator.visit_events import Habits

_CONCURRENCY = 3
_LOOK_AGAIN_S = 0.5
_LIMIT_S = 1800.0
_STILL = 4
_BEHIND = re.compile(r"^clickloop_consumer_lag_records(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)


class UsedService:
    """A service that holds a judged collection, and people of all kinds who ask its train queries.

    Args:
        home: Keeps vectors between runs; what is learned begins anew.
        tell: Told what happens.
        clock_speed: Seconds of its clock in one of the machine.
        settings: Variables of its environment that differ from the demo's.

    Attributes:
        people: Who visits.
    """

    def __init__(
        self,
        home: Path,
        collection: JudgedCollection,
        habits: Habits,
        seed: int,
        tell: Callable[[str], None],
        *,
        clock_speed: float = CLOCK_SPEED,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._collection = collection
        self._tell = tell
        self._habits = habits
        self._service = BackgroundService(home, clock_speed, settings)
        self.remote = ServiceClient(self._service.url)
        self.people = make_population("mixed", max_grade=collection.max_grade)
        self._driver = self.make_driver(collection, Traffic(collection, seed))

    def __enter__(self) -> Self:
        """Start it, and wait until every document is searchable by words and by meaning."""
        self._tell("starting the service; the first time the encoder is converted (30 s)")
        self._service.start()
        with ExitStack() as unless_whole:
            unless_whole.callback(self._service.stop)
            self._driver.load_documents()
            self.wait("documents", self._is_whole)
            unless_whole.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self._driver.close()
        self.remote.close()
        self._service.stop()

    def make_driver(
        self, judged: JudgedCollection, traffic: Traffic, habits: Habits | None = None, collection: str = ""
    ) -> Driver:
        """Return people who judge by `judged` and ask as `traffic` says; to be closed.

        Args:
            habits: What they tell beside their clicks; as everybody here when None.
            collection: Which they search; the default one when empty.
        """
        return Driver(
            self._service.url,
            judged,
            self.people,
            traffic,
            concurrency=_CONCURRENCY,
            collection_name=collection or DEFAULT_COLLECTION,
            habits=habits or self._habits,
        )

    def rank(self, queries: Iterable[str]) -> dict[str, list[str]]:
        """Return the best ids by query id as it ranks now, leaving no trace."""
        return self._driver.rankings(queries)

    def visit(self, *, clicks: int | None = None, searches: int | None = None, by: Driver | None = None) -> Tally:
        """Let people visit until there are so many clicks or searches, and everything is folded.

        Args:
            by: Who visits; people who ask every train query without one.
        """
        wanted = clicks or searches or 0

        def progress(now: Tally) -> None:
            done = now.clicks if clicks else now.searches
            self._tell(f"people search: {done} of {wanted} {'clicks' if clicks else 'searches'}")

        tally = (by or self._driver).run(clicks=clicks, searches=searches, on_progress=progress)
        self.wait("feedback to be joined", self._is_joined)
        return tally

    def train(self, learners: str) -> dict[str, Any]:
        """Train a candidate and return its run; the gate has judged it.

        Raises:
            ClickloopError: The training came to no version.
        """
        run = self.remote.post("/v1/training-runs", {"autopilot": False, "learners": learners})
        deadline_s = monotonic_s() + _LIMIT_S
        while run["state"] == "active" and monotonic_s() < deadline_s:
            time.sleep(_LOOK_AGAIN_S)
            run = self.remote.get(f"/v1/training-runs/{run['id']}")
            self._tell(f"training: {run['report'].get('doing', run['step'])}")
        if not run["version"]:
            raise ClickloopError(f"the training made no version: {run['report'].get('end', run['state'])}")
        found: dict[str, Any] = run
        return found

    def promote(self, version: str) -> None:
        """Let a version serve, whatever the gate said, and wait until it does."""
        self.remote.post(f"/v1/versions/{version}/promote", {"reason": "by a project"})
        self.wait("the new version", lambda: self._serves(version))

    def compare(self, plan: dict[str, Any], searches: int) -> dict[str, Any]:
        """Run an experiment for so many searches and return its scorecard."""
        made = self.remote.post("/v1/experiments", plan)
        path = f"/v1/experiments/{made['id']}"
        self.remote.post(f"{path}/start", {})
        self.wait("the experiment", lambda: self._assigns(made["id"]))
        self.visit(searches=searches)
        card: dict[str, Any] = self.remote.post(f"{path}/look", {})
        if card["experiment"]["state"] == "running":
            self.remote.post(f"{path}/stop", {})
        return card

    def wait(self, what: str, there: Callable[[], bool]) -> None:
        """Wait until something is there; NotReady when it is not within half an hour."""
        deadline_s = monotonic_s() + _LIMIT_S
        while not there():
            if monotonic_s() > deadline_s:
                raise NotReady(f"still no {what} after {_LIMIT_S:.0f} s; read {self._service.log_path}")
            time.sleep(_LOOK_AGAIN_S)

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.remote.get("/readyz")["collections"].get(DEFAULT_COLLECTION, {})
        return state

    def _is_whole(self) -> bool:
        state, wanted = self._state(), len(self._collection.documents)
        waiting = state.get("waiting", wanted)
        self._tell(f"{state.get('documents', 0) - waiting} of {wanted} documents are searchable")
        return state.get("documents", 0) >= wanted and not waiting

    def _is_joined(self) -> bool:
        """Return whether the collector has folded every record, by several looks: its figure is a second old."""
        for _ in range(_STILL):
            found = _BEHIND.search(httpx.get(f"{self._service.url}/metrics", timeout=30).text)
            if found is None or float(found[1]) > 0:
                return False
            time.sleep(_LOOK_AGAIN_S)
        return True

    def _serves(self, version: str) -> bool:
        return bool(self._state().get("version") == version)

    def _assigns(self, experiment: str) -> bool:
        given = self.remote.get("/v1/assignments?user=somebody")["assignments"]
        return any(one["experiment"] == experiment for one in given)
