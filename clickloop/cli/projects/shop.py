"""Product search: words, meaning and both on some queries with the causes, then what people's clicks add."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from clickloop.cli.projects.page import ProjectPage, ProjectTable, figures, sign, span
from clickloop.cli.projects.service import UsedService
from clickloop.container import Container
from clickloop.evaluation.causes import CAUSES, find_cause
from clickloop.evaluation.failures import REASONS, Texts
from clickloop.evaluation.report import EvaluationReport, compare, write_report
from clickloop.evaluation.systems import Systems
from clickloop.pictures import Measurement, draw_bars
from foundation.settings import Settings
from foundation.statistics import bootstrap_interval
from simulator.collection import JudgedCollection, read_beir
from simulator.quality import ndcg
from simulator.visit_events import Habits

SYSTEMS = ("bm25", "dense", "hybrid")
_BOTH_FAIL = "both fail: "
_SPLIT = "test"
_DEPTH = 100
_BEFORE, _CLICKED, _TRAINED = "first ranking", "with clicks, seconds later", "after training"
_GROUPS = {"asked": "queries that people asked", "unseen": "queries that nobody asked"}


@dataclass(frozen=True, slots=True)
class ClickGain:
    """What clicks did for the queries that people asked, and for those that nobody did.

    Attributes:
        ndcg: nDCG@10 by moment, group of queries and query.
        clicks: How many there were.
        gate: What the gate said of the trained version.
    """

    ndcg: dict[str, dict[str, dict[str, float]]]
    clicks: int
    gate: str


def run(
    settings: Settings, folder: Path, to: Path, *, queries: int, clicks: int, seed: int, tell: Callable[[str], None]
) -> ProjectPage:
    """Compare the systems on queries of the split "test", then let people ask those of "train" and learn from it.

    Args:
        settings: Of a home of the project's own.
        queries: How many of the split are compared one by one.
        clicks: How many clicks people make; 0 leaves this part out.
        to: Gets `report.html` and a TREC run file a system.
    """
    collection = read_beir(folder)
    tell(f"embedding {len(collection.documents)} documents, those seen before excepted")
    container = Container(settings)
    systems = Systems(container, collection, _DEPTH)
    found = compare(folder.name, draw_queries(collection, queries, seed), _SPLIT, SYSTEMS, systems.rank, seed)
    container.engine.dispose()
    write_report(found, collection, to)
    gain = _learn(settings.home, collection, clicks, seed, tell) if clicks else None
    return make_page(found, collection, gain, seed)


def draw_queries(collection: JudgedCollection, count: int, seed: int) -> JudgedCollection:
    """Return a collection with some of the judged queries of its split "test"."""
    names = sorted(collection.split(_SPLIT))
    chosen = np.random.default_rng(seed).choice(names, min(count, len(names)), replace=False).tolist()
    qrels = {_SPLIT: {name: collection.qrels[_SPLIT][name] for name in sorted(chosen)}}
    return JudgedCollection(collection.documents, collection.queries, qrels)


def _learn(home: Path, collection: JudgedCollection, clicks: int, seed: int, tell: Callable[[str], None]) -> ClickGain:
    groups = {"asked": list(collection.split("train")), "unseen": list(collection.split(_SPLIT))}
    measured: dict[str, dict[str, dict[str, float]]] = {}
    with UsedService(home, collection, Habits(), seed, tell) as service:

        def measure(moment: str) -> None:
            tell(f"measuring: {moment}")
            ranked = {group: service.rank(names) for group, names in groups.items()}
            measured[moment] = {group: ndcg(collection.judgments, lists) for group, lists in ranked.items()}

        measure(_BEFORE)
        tally = service.visit(clicks=clicks)
        measure(_CLICKED)
        trained = service.train("fast")
        service.promote(trained["version"])
        measure(_TRAINED)
    return ClickGain(measured, tally.clicks, trained["report"].get("gate", trained["state"]))


def make_page(found: EvaluationReport, collection: JudgedCollection, gain: ClickGain | None, seed: int) -> ProjectPage:
    """Return the page: the systems, their queries one by one with causes, and what clicks add where people clicked."""
    causes = _find_causes(found, collection)
    counted = Counter(causes.values())
    queries = [
        (found.queries[name], *figures([found.measured[one].ndcg[name] for one in SYSTEMS], 3), causes[name])
        for name in found.queries
    ]
    means = [(one, *figures(list(measured.means.values()))) for one, measured in found.measured.items()]
    bars = [Measurement(one, fmean(found.measured[one].ndcg.values()), before=one != "hybrid") for one in SYSTEMS]
    tables = [
        ProjectTable(
            f"{len(found.queries)} queries over {found.documents} products", ("system", *found.measures), means
        ),
        ProjectTable("nDCG@10 query by query", ("query", *SYSTEMS, "words against meaning"), queries),
    ]
    pictures = {"systems": draw_bars(f"nDCG@10 of {len(found.queries)} queries, {found.title}", bars)}
    facts: dict[str, Any] = found.to_json() | {"causes": counted, "cause_by_query": causes}
    known = CAUSES | {f"{_BOTH_FAIL}{reason}": told for reason, told in REASONS.items()}
    notes = [f"{cause} ({counted[cause]}): {told}" for cause, told in known.items() if counted[cause]]
    if gain:
        tables.append(_tell_gain(gain, seed))
        pictures["clicks"] = _draw_gain(gain, found.title)
        notes.append(f"The trained version, by the gate: {gain.gate}.")
        facts["clicks"] = {"clicks": gain.clicks, "gate": gain.gate, "ndcg": _means(gain)}
    return ProjectPage(f"Product search: {found.title}", notes, tables, pictures, facts)


def _find_causes(found: EvaluationReport, collection: JudgedCollection) -> dict[str, str]:
    """Return by query id why words and meaning differ, or why both fail."""
    words_fail, meaning_fail = ({one.query: one.reason for one in found.failures[name]} for name in SYSTEMS[:2])
    both_fail = {name: f"{_BOTH_FAIL}{words_fail[name]}" for name in words_fail.keys() & meaning_fail.keys()}
    texts = Texts({one["id"]: f"{one['title']} {one['text']}" for one in collection.documents})
    words, meaning = found.measured["bm25"].ndcg, found.measured["dense"].ndcg
    return {
        name: find_cause(
            text,
            collection.judgments[name],
            list(found.runs["bm25"].get(name, {})),
            list(found.runs["dense"].get(name, {})),
            words[name] - meaning[name],
            texts,
        )
        for name, text in found.queries.items()
    } | both_fail


def _means(gain: ClickGain) -> Mapping[str, dict[str, float]]:
    return {
        moment: {group: fmean(scores.values()) for group, scores in groups.items()}
        for moment, groups in gain.ndcg.items()
    }


def _tell_gain(gain: ClickGain, seed: int) -> ProjectTable:
    rows = []
    for moment, groups in gain.ndcg.items():
        for group, scores in groups.items():
            before = gain.ndcg[_BEFORE][group]
            change = np.array([scores[name] - before[name] for name in sorted(scores)])
            told = ("", "")
            if moment != _BEFORE:
                told = (sign(float(change.mean())), span(*bootstrap_interval(change, confidence=0.95, seed=seed)))
            rows.append((moment, f"{len(scores)} {_GROUPS[group]}", f"{fmean(scores.values()):.4f}", *told))
    heading = f"What {gain.clicks} clicks add, nDCG@10"
    return ProjectTable(heading, ("ranking", "queries", "nDCG@10", "gain", "95% interval"), rows)


def _draw_gain(gain: ClickGain, title: str) -> str:
    bars = [
        Measurement(f"{moment}, {group}", value, before=moment == _BEFORE)
        for group in _GROUPS
        for moment, value in ((name, means[group]) for name, means in _means(gain).items())
    ]
    return draw_bars(f"nDCG@10 before and after {gain.clicks} clicks, {title}", bars)
