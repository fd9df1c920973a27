"""A/B tests on satisfaction and resolution over the real service: planted differences are found, none is made up."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.harness.fixtures import add_version, get_collection, index
from benchmarks.harness.report import Bar, at_least, at_most
from benchmarks.harness.server import Server, bench_settings
from clickloop.container import Container
from foundation.clock import monotonic_s
from foundation.errors import NotReady
from foundation.http_client import ServiceClient

RUNS, QUICK_RUNS = 20, 2
USERS = 400
"""Users of each experiment, who search once; its power is about 95%."""

PLANNED = 380
"""Its planned sample: a search that is late on a busy machine takes no part."""

MIN_FOUND = 0.8
_CLIENTS = 4
_WAIT_S = 60.0
_STARS = np.arange(1, 6)
_USUAL_STARS = np.array([0.10, 0.15, 0.25, 0.30, 0.20])
_BETTER_STARS = np.array([0.05, 0.08, 0.19, 0.36, 0.32])
_GREAT_STARS = np.array([0.0, 0.02, 0.08, 0.3, 0.6])
"""How often users give one to five stars; the better answers get 0.47 stars more on average."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A difference between the arms that users feel.

    Attributes:
        metric: The metric that should find it.
        says: Returns the event of one user, by whether the arm is the treatment.
    """

    name: str
    metric: str
    says: Callable[[np.random.Generator, bool], dict[str, Any]]


def rate(random: np.random.Generator, better: bool, *, much: bool = False) -> dict[str, Any]:
    """Return the rating of one user, whom better answers please a little, or much."""
    shares = (_GREAT_STARS if much else _BETTER_STARS) if better else _USUAL_STARS
    return {"type": "rating", "value": int(random.choice(_STARS, p=shares))}


def _resolve(random: np.random.Generator, better: bool) -> dict[str, Any]:
    return {"type": "resolved" if random.random() < (0.72 if better else 0.55) else "unresolved"}


PLANTED = (
    Planted("csat", "csat", rate),
    Planted("resolution", "resolution", _resolve),
    Planted("csat_null", "csat", lambda random, _: rate(random, better=False)),
    Planted("resolution_null", "resolution", lambda random, _: _resolve(random, better=False)),
)


def run(seed: int, quick: bool) -> list[Bar]:
    """Return bar "ab.http": promotions over twenty experiments of each kind (quick: two)."""
    runs = QUICK_RUNS if quick else RUNS
    collection = get_collection(None, quick=True)
    queries = list(collection.queries.values())
    with bench_settings(refresh_s=0.2) as settings, Server(settings) as server:
        container = Container(server.settings)
        index(server.remote, collection.documents)
        treatment = add_version(container, seed)
        container.engine.dispose()
        ends = {
            planted.name: [_experiment(server.remote, planted, treatment, queries, seed + n) for n in range(runs)]
            for planted in PLANTED
        }
    return [_bar(planted, ends[planted.name]) for planted in PLANTED]


def _bar(planted: Planted, ends: list[str]) -> Bar:
    share = ends.count("promote") / len(ends)
    what = f"of {len(ends)} A/B tests over HTTP, {USERS} users each, that end in a promotion"
    if planted.name.endswith("_null"):
        return at_most(f"ab.http.{planted.name}", f"share {what}, no difference in {planted.metric}", share, 0.0)
    return at_least(f"ab.http.{planted.name}", f"share {what}, a planted gain in {planted.metric}", share, MIN_FOUND)


def _experiment(remote: ServiceClient, planted: Planted, treatment: str, queries: list[str], seed: int) -> str:
    """Run one experiment to its planned end and return the verdict."""
    plan = make_plan(f"{planted.name} {seed}", planted.metric, treatment)
    made = remote.post("/v1/experiments", plan)
    path = f"/v1/experiments/{made['id']}"
    remote.post(f"{path}/start", {})
    await_traffic(remote, made["id"])
    random = np.random.default_rng([seed, len(planted.name)])
    names = [f"{made['id']}-{client}" for client in range(_CLIENTS)]
    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(lambda name, child: _visit(remote, planted, queries, child, name), names, random.spawn(_CLIENTS)))
    return await_verdict(remote, path)


def make_plan(name: str, metric: str, treatment: str) -> dict[str, Any]:
    """Return the plan of an A/B test of one metric against the champion, for `USERS` users."""
    return {
        "name": name,
        "kind": "ab",
        "control": "champion",
        "treatment": treatment,
        "success": [metric],
        "guardrails": [{"metric": "zero_result_rate"}],
        "planned_searches": PLANNED,
        "min_days": 0,
        "max_days": 1,
        "recontact_days": 0,
    }


def _visit(remote: ServiceClient, planted: Planted, queries: list[str], random: np.random.Generator, name: str) -> None:
    """Let one client's share of the users search, and say at once what they think."""
    for number in range(USERS // _CLIENTS):
        user = f"{name}-{number}"
        answer = remote.post("/v1/search", {"query": queries[int(random.integers(len(queries)))], "user": user})
        said = planted.says(random, answer["arm"] == "treatment")
        document = {"document_id": answer["hits"][0]["id"]} if said["type"] == "rating" else {}
        event = {"query_id": answer["query_id"], "id": f"{user}/said", "user": user}
        remote.post("/v1/events", event | said | document)


def await_traffic(remote: ServiceClient, experiment: str) -> None:
    """Wait until the replica assigns searches to the experiment."""
    deadline_s = monotonic_s() + _WAIT_S
    while monotonic_s() < deadline_s:
        given = remote.get("/v1/assignments?user=somebody")["assignments"]
        if any(one["experiment"] == experiment for one in given):
            return
        time.sleep(0.05)
    raise NotReady(f"experiment {experiment} gets no traffic after {_WAIT_S:.0f} s")


def await_verdict(remote: ServiceClient, path: str) -> str:
    """Wait until everything is folded and the experiment is decided."""
    deadline_s = monotonic_s() + _WAIT_S
    while monotonic_s() < deadline_s:
        card = remote.post(f"{path}/look", {})
        if card["verdict"]["decision"] != "continue":
            return str(card["verdict"]["decision"])
        time.sleep(0.2)
    raise NotReady(f"{path} is not decided after {_WAIT_S:.0f} s: {card['verdict']['reason']}")
