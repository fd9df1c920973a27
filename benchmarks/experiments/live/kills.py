"""An experiment whose server is killed at each of its steps: it ends as one that nobody disturbed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from benchmarks.experiments.live.over_http import USERS, await_traffic, await_verdict, make_plan, rate
from benchmarks.harness.fixtures import add_version, get_collection, index
from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.harness.server import Server, bench_settings
from clickloop.container import Container
from foundation.errors import ClickloopError
from foundation.http_client import ServiceClient

STEPS = ("create", "start", "search", "report", "look", "promote")
REPEATS, QUICK_REPEATS = 3, 1
_MAX_DELAY_S = 0.15
"""A kill comes so long after a step has begun, at most."""


def run(seed: int, quick: bool) -> list[Bar]:
    """Return bars "ab.kills": experiments that end as they should, and what was counted twice."""
    repeats = QUICK_REPEATS if quick else REPEATS
    collection = get_collection(None, quick=True)
    with bench_settings(refresh_s=0.2) as settings, Server(settings) as server:
        container = Container(server.settings)
        index(server.remote, collection.documents)
        versions = [add_version(container, seed + number) for number in range(2)]
        container.engine.dispose()
        random = np.random.default_rng([seed, 11])
        queries = list(collection.queries.values())
        kills = [(step, number) for step in STEPS for number in range(repeats)]
        ends = [_Disturbed(server, versions, queries, random, step).run(number) for step, number in kills]
    right = sum(decision == "promote" and served for decision, served, _ in ends)
    twice = sum(wrong for _, _, wrong in ends)
    what = f"of {len(ends)} experiments, killed while they were at one of {', '.join(STEPS)}"
    return [
        at_least("ab.kills.verdict", f"share {what}, that end in the promotion that is due", right / len(ends), 1.0),
        at_most("ab.kills.twice", f"units, runs or decisions too many {what}", twice, 0),
    ]


class _Disturbed:
    """One A/B test on satisfaction with a large planted gain, whose server is killed at one step."""

    def __init__(
        self, server: Server, versions: list[str], queries: list[str], random: np.random.Generator, step: str
    ) -> None:
        self._server = server
        self._versions = versions
        self._queries = queries
        self._random = random
        self._killed_at = step

    def run(self, number: int) -> tuple[str, bool, int]:
        """Return the verdict, whether what it promoted serves, and how many things are there too often."""
        remote = self._server.remote
        champion = remote.get("/v1/versions")["champion"]
        treatment = next(version for version in self._versions if version != champion)
        name = f"{self._killed_at} {number}"
        plan = make_plan(name, "csat", treatment)
        self._do("create", lambda: remote.post("/v1/experiments", plan))
        made = [one for one in remote.get("/v1/experiments")["experiments"] if one["plan"]["name"] == name]
        experiment = made[0]["id"]
        path = f"/v1/experiments/{experiment}"
        self._do("start", lambda: self._start(path))
        await_traffic(remote, experiment)
        for place, user in enumerate(self._users(experiment)):
            self._visit(user, halfway=place == USERS // 2)
        decision = self._do("look", lambda: await_verdict(remote, path))
        self._do("promote", lambda: self._promote(treatment))
        serves = remote.get("/v1/versions")["champion"] == treatment
        return decision, serves, self._count_doubles(path)

    def _start(self, path: str) -> None:
        if self._server.remote.get(path)["experiment"]["state"] != "running":
            self._server.remote.post(f"{path}/start", {})

    def _promote(self, version: str) -> None:
        if self._server.remote.get("/v1/versions")["champion"] != version:
            self._server.remote.post(f"/v1/versions/{version}/promote", {"reason": "bench"})

    def _users(self, experiment: str) -> Iterator[str]:
        for number in range(USERS):
            yield f"{experiment}-{number}"

    def _visit(self, user: str, *, halfway: bool) -> None:
        """Search and rate as a user would who asks again where nothing came."""
        query = self._queries[int(self._random.integers(len(self._queries)))]
        body = {"query": query, "user": user}
        answer = self._do("search" if halfway else "", lambda: self._server.remote.post("/v1/search", body))
        said = rate(self._random, better=answer["arm"] == "treatment", much=True)
        event = {"query_id": answer["query_id"], "document_id": answer["hits"][0]["id"], "id": f"{user}/said"} | said
        self._do("report" if halfway else "", lambda: self._server.remote.post("/v1/events", event))

    def _do(self, step: str, act: Callable[[], Any]) -> Any:
        """Do a step; at the one that is disturbed, kill the server meanwhile, start it again, and do it once more."""
        if step == self._killed_at:
            thread = threading.Thread(target=_try, args=(act,), daemon=True)
            thread.start()
            time.sleep(self._random.uniform(0, _MAX_DELAY_S))
            self._server.kill()
            thread.join()
            self._server.start()
        return act()

    def _count_doubles(self, path: str) -> int:
        remote: ServiceClient = self._server.remote
        card = remote.get(path)
        units: int = sum(arm["units"] for arm in card["arms"])
        decisions = remote.get(f"{path}/decisions")["decisions"]
        audited = remote.get(f"{path}/audit")["decisions"]
        return (
            max(units - USERS, 0)
            + int(card["sample_ratio"]["mixed"])
            + abs(int(card["experiment"]["run"]) - 1)
            + abs(len(decisions) - 1)
            + sum(not one["reproduced"] for one in audited)
        )


def _try(act: Callable[[], Any]) -> None:
    with suppress(ClickloopError):  # killed meanwhile: either it was done or it was not
        act()
