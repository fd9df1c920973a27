"""Looks at an installation: does it serve, do events find their searches, would late interaction pay."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import Any

import numpy as np

from clickloop.container import Container
from clickloop.evaluation.measures import compare_all, measure
from clickloop.evaluation.systems import RERANK, Systems
from collector.api import read_evidence
from foundation.errors import ClickloopError
from foundation.http_client import Refused, ServiceClient
from foundation.packed_evidence import pack
from serving.ranking.live_evidence import read_choices
from simulator.collection import JudgedCollection, Judgments

MIN_QUERIES = 30
"""Judged or clicked queries below which nothing is said of late interaction."""

_MAX_QUERIES = 300
_PAGE = 1000
_DEPTH = 100
_SPLIT = "test"
_MIN_UNREAD = 0.05
_UNREAD = (
    "{:.0%} of the documents are in scripts that the encoder has no words of, and are found by their words alone:"
    " set CLICKLOOP_MODEL to a multilingual encoder"
)
_WORDS = "{count} of {of}: {meaning} {advice}"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing looked at: whether it is good as it is, and what was found or should be done."""

    subject: str
    good: bool
    what: str


def examine_service(remote: ServiceClient) -> list[Diagnosis]:
    """Return what a running service says of itself; one finding that it does not answer, when it does not."""
    try:
        ready = remote.get("/readyz")
        health = remote.get("/v1/reports/join-health")
        learning = remote.get("/v1/reports/learning")
        webhooks = remote.get("/v1/webhooks")["deliveries"]
        unread = _read_unread(remote)
    except ClickloopError as problem:
        return [Diagnosis("service", good=False, what=problem.detail)]
    collections = [
        Diagnosis(f"collection {name}", not state["problem"] and not state["waiting"], _describe(state))
        for name, state in ready["collections"].items()
    ]
    joins = [
        Diagnosis(check["name"], not check["advice"], _WORDS.format(**check).strip()) for check in health["findings"]
    ]
    told = [Diagnosis("webhooks", good=False, what=what) for what in _late_webhooks(webhooks)]
    told += [Diagnosis("encoder", good=False, what=_UNREAD.format(unread))] if unread >= _MIN_UNREAD else []
    return [*collections, *joins, *told, Diagnosis("learning", good=True, what=learning["meaning"])]


def _read_unread(remote: ServiceClient) -> float:
    """Return the share of documents that the encoder cannot read, 0 in a collection that has none yet."""
    try:
        return float(remote.get("/v1/index")["unread"])
    except Refused as problem:
        if problem.code != HTTPStatus.NOT_FOUND:
            raise
        return 0.0


def examine_late_interaction(
    container: Container, collection: str, judged: JudgedCollection | None, seed: int
) -> Diagnosis:
    """Return whether ranking again by late interaction pays: its gain in nDCG@10 and its cost, measured.

    Embeds the tokens of the whole collection, once.

    Args:
        judged: Judgments to measure by; what users of the collection chose when None.
    """
    asked = judged or read_chosen(container, collection)
    queries = sorted(query for query, grades in asked.split(_SPLIT).items() if max(grades.values()) > 0)
    sample = np.random.default_rng(seed).permutation(len(queries))[:_MAX_QUERIES].tolist()
    chosen = {queries[place]: asked.queries[queries[place]] for place in sample}
    if len(chosen) < MIN_QUERIES:
        what = f"only {len(chosen)} queries are judged or have agreeing clicks; {MIN_QUERIES} are needed to tell"
        return Diagnosis("late interaction", good=True, what=what)
    systems = Systems(container, asked, _DEPTH, late=True)
    judgments = {query: asked.split(_SPLIT)[query] for query in chosen}
    runs, times = {}, {}
    for system in ("hybrid", RERANK):
        began = perf_counter()
        runs[system] = systems.rank(system, chosen)
        times[system] = 1000 * (perf_counter() - began) / len(chosen)
    (change,) = compare_all({system: measure(judgments, run) for system, run in runs.items()}, seed)
    gain, low, high = (
        (change.gain, change.low, change.high) if change.first == RERANK else (-change.gain, -change.high, -change.low)
    )
    pays = low > 0
    verdict = "pays: set CLICKLOOP_LATE_INTERACTION=true" if pays else "does not pay: leave it off"
    return Diagnosis(
        "late interaction",
        pays == container.settings.late_interaction,
        f"{verdict}; nDCG@10 {gain:+.4f} ({low:+.4f} to {high:+.4f}) on {len(chosen)} queries, "
        f"{times[RERANK] - times['hybrid']:+.1f} ms a query",
    )


def read_chosen(container: Container, collection: str) -> JudgedCollection:
    """Return a collection's documents with what at least two users of a query agree on as judgments."""
    documents: list[dict[str, Any]] = []
    while page := container.catalog.list(collection, documents[-1]["id"] if documents else "", _PAGE):
        documents += [{"id": one.id, "title": one.title, "text": one.text} for one in page]
    half_life = container.settings.evidence_half_life_days
    judgments: Judgments = {}
    for query in pack(read_evidence(container.engine, collection, container.clock.now(), half_life)):
        if chosen := read_choices(query):
            judgments[query.key] = dict.fromkeys(chosen, 1)
    return JudgedCollection(documents, {key: key for key in judgments}, {_SPLIT: judgments})


def _late_webhooks(deliveries: list[dict[str, Any]]) -> list[str]:
    """Return a sentence for each message about a decision that has not arrived after an attempt."""
    return [
        f"{one['host']} has not heard of decision {one['decision']}: {one['told']}, attempt {one['attempts']}"
        + (", and no other will be made" if one["state"] == "given_up" else f", the next at {one['at']}")
        for one in deliveries
        if one["state"] != "delivered" and one["attempts"]
    ]


def _describe(state: dict[str, Any]) -> str:
    if state["problem"]:
        return f"the version that should serve does not: {state['problem']}"
    waiting = f", {state['waiting']} of them not yet found by their meaning" if state["waiting"] else ""
    return f"{state['documents']} documents{waiting}, ranked by {state['version']}"
