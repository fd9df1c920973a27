"""The retriever of clauses: a judged folder fine-tunes the encoder, and its unseen queries compare before and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clickloop.cli.projects.page import ProjectPage, ProjectTable, figures, sign, span
from clickloop.container import Container
from clickloop.evaluation.measures import parse_measures
from clickloop.evaluation.report import EvaluationReport, compare, write_report
from clickloop.evaluation.run_files import Run
from clickloop.evaluation.systems import Systems
from clickloop.pictures import Measurement, draw_bars
from clickloop.training import train_once
from foundation.contracts import DEFAULT_COLLECTION, Document
from foundation.errors import Conflict
from foundation.registry.registry import Version
from simulator.collection import JudgedCollection, read_beir

BASE = ("bm25", "dense", "rrf")
_TUNED = ("dense, tuned", "rrf, tuned")
_VERSION = "version"
_MEASURES = "RR@10,nDCG@10,R@100"
_DEPTH = 100
_SPLIT = "test"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Trained:
    """What a training came to: the version, or why there is none."""

    version: Version | None
    told: str


def run(container: Container, folder: Path, to: Path, seed: int, tell: Callable[[str], None]) -> ProjectPage:
    """Fine-tune on a folder's split "train" and compare on its split "test".

    Args:
        container: Of a home of the project's own; it keeps documents and vectors between runs.
        to: Gets `report.html` and a TREC run file a system.
    """
    collection = read_beir(folder)
    _keep_documents(container, collection)
    trained = _train(container, folder, tell)
    tell("ranking the unseen queries")
    ranked = _Ranked(Systems(container, collection, _DEPTH), trained.version)
    measures = parse_measures(_MEASURES, _DEPTH)
    found = compare(folder.name, collection, _SPLIT, ranked.names, ranked.rank, seed, measures)
    write_report(found, collection, to)
    return _make_page(found, trained)


class _Ranked:
    """The systems that are compared: before, after, and the version with all that it learned."""

    def __init__(self, systems: Systems, version: Version | None) -> None:
        self._systems = systems
        self._version = version

    @property
    def names(self) -> tuple[str, ...]:
        return (*BASE, *_TUNED, _VERSION) if self._version else BASE

    def rank(self, name: str, queries: dict[str, str]) -> Run:
        if self._version is None or name in BASE:
            return self._systems.rank(name, queries)
        manifest = self._version.manifest
        if name == _VERSION:
            return self._systems.rank_by(manifest, queries)
        return self._systems.rank(name.partition(",")[0], queries, manifest)


def _keep_documents(container: Container, collection: JudgedCollection) -> None:
    documents = [Document(one["id"], one["title"], one["text"], one["url"]) for one in collection.documents]
    for start in range(0, len(documents), _AT_ONCE):
        container.catalog.upsert(DEFAULT_COLLECTION, documents[start : start + _AT_ONCE])


def _train(container: Container, folder: Path, tell: Callable[[str], None]) -> _Trained:
    try:
        found = train_once(container, DEFAULT_COLLECTION, tell, "encoder", folder)
    except Conflict as no_better:
        return _Trained(None, no_better.detail)
    version = container.registry.get(DEFAULT_COLLECTION, found["version"])
    return _Trained(version, f"The gate {version.status} it: {version.reason}.")


def _make_page(found: EvaluationReport, trained: _Trained) -> ProjectPage:
    columns = ("system", *(name.replace("RR", "MRR") if name.startswith("RR") else name for name in found.measures))
    rows = [(system, *figures(list(one.means.values()))) for system, one in found.measured.items()]
    pairs = [
        (f"{one.first} over {one.second}", sign(one.gain), span(one.low, one.high), f"{one.corrected:.4f}")
        for one in found.differences
    ]
    bars = [Measurement(name, one.means["RR@10"], before=name in BASE) for name, one in found.measured.items()]
    return ProjectPage(
        title=f"A retriever fine-tuned on {found.title}",
        notes=[_tell(found, trained)],
        tables=[
            ProjectTable(f"{len(found.queries)} unseen queries over {found.documents} documents", columns, rows),
            ProjectTable("Paired differences in nDCG@10", ("pair", "gain", "95% interval", "p (Holm)"), pairs),
        ],
        pictures={"retriever": draw_bars(f"MRR@10 on {len(found.queries)} unseen queries, {found.title}", bars)},
        facts=found.to_json() | {"training": _lineage(trained)},
    )


def _tell(found: EvaluationReport, trained: _Trained) -> str:
    if trained.version is None:
        return f"Nothing was changed: {trained.told}."
    how, means = trained.version.lineage, {name: one.means["RR@10"] for name, one in found.measured.items()}
    return (
        f"{how['encoder_pairs']} pairs in {how['encoder_steps']} steps, {how['encoder_seconds']:.0f} s; "
        f"{how['encoder_share']:.0%} of the new weights kept. MRR@10 of vectors alone {means['dense']:.3f} before, "
        f"{means['dense, tuned']:.3f} after. {trained.told}"
    )


def _lineage(trained: _Trained) -> dict[str, Any]:
    return trained.version.lineage if trained.version else {"problem": trained.told}
