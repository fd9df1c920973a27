"""Measures versions on judged folders: as they rank, and their vectors alone by mteb."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from clickloop.container import Container
from clickloop.evaluation.measures import measure, parse_measures
from clickloop.evaluation.systems import Systems
from clickloop.interchange import export, find_version
from foundation.errors import InvalidRequest, needs_extra
from foundation.registry.registry import Version
from simulator.collection import JudgedCollection, read_beir

_DEPTH = 100


@dataclass(frozen=True, slots=True)
class VersionResult:
    """What one version reached on one folder.

    Attributes:
        by: "ranking" for all of what it ranks by, "mteb" for its vectors alone as mteb measures them.
        means: Means by the name of the measure.
    """

    folder: str
    version: str
    by: str
    queries: int
    means: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return asdict(self)


def evaluate_versions(
    container: Container,
    collection: str,
    wanted: Sequence[str],
    folders: Sequence[Path],
    split: str,
    metrics: str,
    *,
    mteb: bool,
    tell: Callable[[str], None],
) -> list[VersionResult]:
    """Return what versions of a collection reach on folders in BEIR form; documents are embedded once an encoder.

    Args:
        wanted: Ids or names of versions, or "champion".
        metrics: What is measured of the rankings, comma-separated.
        mteb: Whether mteb measures the vectors too, one vector a document.

    Raises:
        NotFound: There is no such version or split, or a folder is incomplete.
        InvalidRequest: A measure is unknown, or no version is named.
        MissingExtra: mteb is not installed.
    """
    measures = parse_measures(metrics, _DEPTH)
    versions = [find_version(container, collection, name) for name in wanted]
    if not versions:
        raise InvalidRequest("name at least one version, or champion")
    judged = {folder: read_beir(folder) for folder in folders}
    found = []
    for folder, one in judged.items():
        tell(f"{folder.name}: embedding {len(one.documents)} documents, those seen before excepted")
        systems, judgments = Systems(container, one, _DEPTH), one.split(split)
        queries = {query: one.queries[query] for query in judgments}
        for version in versions:
            tell(f"{folder.name}: {version.name} ranks {len(queries)} queries")
            means = measure(judgments, systems.rank_by(version.manifest, queries), measures).means
            found.append(VersionResult(folder.name, version.id, "ranking", len(queries), means))
    return found + (_ask_mteb(container, collection, versions, judged, split, tell) if mteb else [])


def _ask_mteb(
    container: Container,
    collection: str,
    versions: Sequence[Version],
    judged: dict[Path, JudgedCollection],
    split: str,
    tell: Callable[[str], None],
) -> list[VersionResult]:
    """Return what mteb finds of the exported versions."""
    with needs_extra("mteb", "--mteb"):
        from clickloop.evaluation.mteb_tasks import evaluate_folder  # noqa: PLC0415  needs mteb, which only the extra `mteb` installs
    found = []
    for version in versions:
        with TemporaryDirectory() as scratch:
            exported = Path(scratch) / "version"
            export(container, collection, version.id, exported)
            for folder, one in judged.items():
                tell(f"{folder.name}: mteb measures {version.name}")
                means = evaluate_folder(exported, folder.name, one, split)
                found.append(VersionResult(folder.name, version.id, "mteb", len(one.split(split)), means))
    return found


def print_results(results: Sequence[VersionResult], console: Console) -> None:
    """Print results for people, one table a way of measuring."""
    for by in dict.fromkeys(result.by for result in results):
        mine = [result for result in results if result.by == by]
        title = "as they rank" if by == "ranking" else "vectors alone, by mteb"
        table = Table("folder", "version", "queries", *mine[0].means, title=title)
        for result in mine:
            means = (f"{mean:.4f}" for mean in result.means.values())
            table.add_row(result.folder, result.version, str(result.queries), *means)
        console.print(table)
