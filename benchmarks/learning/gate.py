"""Sabotages a candidate that was learned from real clicks, and sees whether anything bad gets through.

First the offline gate judges the honest candidate and sabotaged forms of it, of fourteen kinds, against the champion.
Then one of them is forced past the gate into a live experiment, which has to end it. The gate's judge compares planted
pairs of versions whose difference is known by judgments. Last, interleaved lists tell what such versions are clicked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.harness.evaluation import open_harness
from benchmarks.harness.fixtures import drain, get_collection, index, register
from benchmarks.harness.report import Bar, Findings, at_least, at_most
from benchmarks.harness.server import Server, bench_settings
from benchmarks.learning.off_policy import Estimated, off_policy_bars, plant_estimates
from benchmarks.learning.pairs import Cell, Judged, pair_bars, plant_pairs
from benchmarks.learning.sabotage import SABOTAGES, Lab, favour_one_retriever
from clickloop.container import Container
from clickloop.training import prepare_training
from foundation.contracts import DEFAULT_COLLECTION
from foundation.errors import ClickloopError
from foundation.http_client import ServiceClient
from foundation.settings import Settings
from retrainer.gate.gate import Gate
from simulator.collection import JudgedCollection, read_beir
from simulator.driver import Driver
from simulator.traffic import Traffic
from simulator.users import make_population

CLICKS = 10_000
QUICK_CLICKS = 800
VARIANTS = 2 * len(SABOTAGES)
QUICK_VARIANTS = 5
PLANNED_SEARCHES = 4000
QUICK_SEARCHES = 600
SABOTAGE, PAIRS, OFF_POLICY = "sabotage", "pairs", "off-policy"
ALL_PARTS = (SABOTAGE, PAIRS, OFF_POLICY)
PAIR_CELLS = (("trust", 2500), ("cascade", 700), ("position", 4000))
"""Users and clicks of the simulations that pairs are planted in, for each collection."""
OFF_POLICY_CELLS = (("trust", 700), ("cascade", 700), ("position", 700))
"""Users and clicks of the simulations whose interleaved lists tell of planted pairs."""
PAIR_JUDGED = 120
QUICK_JUDGED = 30
CHOSEN_BY = "postgresql_docs"
"""Collection by which the judge was chosen; its figures prove nothing."""
MAX_DOCUMENTS = 3000
"""Collections with more documents take part in no pairs: to embed them takes longer than to judge."""
RETRAIN_BOUND_S = 60.0
_LOOK_EVERY_SEARCHES = 100


def run(
    folder: Path | None,
    data: Path | None,
    seed: int,
    quick: bool,
    only: tuple[str, ...] = ALL_PARTS,
    progress: Callable[[str], None] = lambda _: None,
) -> Findings:
    """Return bar "loop.3", of "loop.8" the time of the training, and what is made of planted pairs.

    Over the collection in `folder`, 10,000 clicks, twenty-eight sabotaged variants and an experiment of
    4,000 searches; quick: 800 clicks on what quick benches search, too few for an honest candidate to
    prove itself, five variants and 600 searches.

    Args:
        data: Folder of collections to plant pairs in; the collection of `folder` when None.
        only: Parts to run.
    """
    torch.set_num_threads(1)  # beside a server, threads of small products only wait for each other
    sabotage = _sabotage(folder, seed, quick) if SABOTAGE in only else Findings([])
    pairs = list(_judge_pairs(folder, data, seed, quick, progress)) if PAIRS in only else []
    told = list(_estimate_pairs(folder, data, seed, quick, progress)) if OFF_POLICY in only else []
    return Findings(
        [
            *sabotage.bars,
            *(pair_bars(pairs) if PAIRS in only else []),
            *(off_policy_bars(told) if OFF_POLICY in only else []),
        ],
        sabotage.details
        | {"planted pairs": [asdict(pair) for pair in pairs], "off-policy": [asdict(pair) for pair in told]},
    )


def _sabotage(folder: Path | None, seed: int, quick: bool) -> Findings:
    collection = get_collection(folder, quick)
    clicks = QUICK_CLICKS if quick else CLICKS
    with bench_settings() as settings, Server(settings) as server:
        index(server.remote, collection.documents)
        driver = make_driver(server.url, collection, seed)
        driver.run(clicks=clicks)
        lab = open_lab(server.remote, settings)
        gates = gate_variants(lab, QUICK_VARIANTS if quick else VARIANTS, seed)
        planned = QUICK_SEARCHES if quick else PLANNED_SEARCHES
        ended = force_past_gate(server.remote, Container(settings), lab, driver, planned, seed)
        driver.close()
    return Findings(
        [*_gate_bars(lab, gates, quick), _experiment_bar(ended), _training_bar(lab, clicks)],
        {
            "honest": lab.candidate.reason,
            "sabotaged": [f"{kind}: {gate.reason}" for kind, gate in gates],
            "experiment": ended["reason"],
            "searches it took": ended["searches"],
        },
    )


def _judge_pairs(
    folder: Path | None, data: Path | None, seed: int, quick: bool, progress: Callable[[str], None]
) -> Iterator[Judged]:
    """Yield what the judge makes of planted pairs, in every simulation of every collection."""
    for name, collection in _open_collections(folder, data, quick):
        world = open_harness(collection, Settings())
        cells = (("trust", QUICK_CLICKS),) if quick else PAIR_CELLS
        for number, (family, clicks) in enumerate(cells):
            cell = Cell(family, clicks, QUICK_JUDGED if quick else PAIR_JUDGED, seed + number)
            yield from plant_pairs(world, cell, name, progress)


def _estimate_pairs(
    folder: Path | None, data: Path | None, seed: int, quick: bool, progress: Callable[[str], None]
) -> Iterator[Estimated]:
    """Yield what interleaved lists tell of planted pairs, in every simulation of every collection."""
    for name, collection in _open_collections(folder, data, quick):
        world = open_harness(collection, Settings())
        for number, (family, clicks) in enumerate(OFF_POLICY_CELLS[:1] if quick else OFF_POLICY_CELLS):
            yield from plant_estimates(world, Cell(family, clicks, 0, seed + number), name, progress)


def _open_collections(folder: Path | None, data: Path | None, quick: bool) -> Iterator[tuple[str, JudgedCollection]]:
    """Yield the collections of a folder that the judge was not chosen by and that are small enough, by name."""
    if data is None:
        yield folder.name if folder else "docstrings", get_collection(folder, quick)
        return
    for found in sorted(path.parent for path in data.glob("*/corpus.jsonl")):
        collection = read_beir(found)
        if found.name != CHOSEN_BY and len(collection.documents) <= MAX_DOCUMENTS:
            yield found.name, collection


def make_driver(url: str, collection: JudgedCollection, seed: int) -> Driver:
    """Return simulated users of a service, who trust its ranking more than they should."""
    people = make_population("trust", max_grade=collection.max_grade)
    return Driver(url, collection, people, Traffic(collection, seed), concurrency=4)


def open_lab(remote: ServiceClient, settings: Settings) -> Lab:
    """Have a running service train an honest candidate on all its evidence, and return it with its judges.

    Raises:
        ClickloopError: The training failed.
    """
    container = Container(settings)
    drain(container)
    run_id = remote.post("/v1/training-runs", {})["id"]
    while (trained := remote.get(f"/v1/training-runs/{run_id}"))["state"] == "active":
        time.sleep(0.5)
    if not trained["version"]:
        raise ClickloopError(f"training run {run_id} ended {trained['state']}: {trained['report']}")
    training, dataset, champion = prepare_training(container, DEFAULT_COLLECTION, lambda _: None)
    return Lab(training, dataset, champion, container.registry.get(DEFAULT_COLLECTION, trained["version"]))


def gate_variants(lab: Lab, count: int, seed: int) -> list[tuple[str, Gate]]:
    """Return kind and gate of `count` sabotaged variants, the kinds in turn."""
    kinds = list(SABOTAGES)
    drawn = [(kinds[number % len(kinds)], number) for number in range(count)]
    return [(kind, lab.gate(SABOTAGES[kind], [seed, number])) for kind, number in drawn]


def force_past_gate(
    remote: ServiceClient, container: Container, lab: Lab, driver: Driver, planned: int, seed: int
) -> dict[str, Any]:
    """Run a sabotaged version against the champion under traffic; return how the experiment ended.

    Args:
        planned: Searches after which the experiment is decided.

    Returns:
        `decision`, `reason`, and the `searches` that it took.
    """
    version = register(
        container,
        favour_one_retriever(lab, lab.candidate.manifest, np.random.default_rng(seed)),
        "forced past the gate by a bench",
    )
    plan = {
        "name": "forced past the gate",
        "kind": "interleaving",
        "control": lab.champion.id,
        "treatment": version,
        "planned_searches": planned,
        "min_days": 0,
        "max_days": 1,
    }
    experiment = remote.post("/v1/experiments", plan)["id"]
    remote.post(f"/v1/experiments/{experiment}/start", {})
    searches = 0
    while remote.get(f"/v1/experiments/{experiment}")["experiment"]["state"] == "running":
        searches += driver.run(searches=_LOOK_EVERY_SEARCHES).searches
        if searches > 2 * planned:
            raise ClickloopError(f"experiment {experiment} still runs after {searches} searches")
    decision = remote.get(f"/v1/experiments/{experiment}/decisions")["decisions"][0]
    return {"decision": decision["verdict"], "reason": decision["reason"], "searches": searches}


def _gate_bars(lab: Lab, gates: list[tuple[str, Gate]], quick: bool) -> list[Bar]:
    passed = sum(gate.passed for _, gate in gates)
    honest = int(lab.candidate.status != "refused")
    return [
        at_most("loop.3", f"of {len(gates)} sabotaged candidates pass the gate", passed, 0),
        *([] if quick else [at_least("loop.3", "of 1 honest candidate pass the gate", honest, 1)]),
    ]


def _experiment_bar(ended: dict[str, Any]) -> Bar:
    stopped = ended["decision"] in {"rollback", "keep_control"}
    return at_least("loop.3", f"one forced into an experiment is stopped by it ({ended['decision']})", int(stopped), 1)


def _training_bar(lab: Lab, clicks: int) -> Bar:
    return at_most(
        "loop.8", f"seconds of training at {clicks} clicks", lab.candidate.lineage["seconds"], RETRAIN_BOUND_S
    )
