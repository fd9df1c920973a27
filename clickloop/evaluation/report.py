"""A comparison from start to end, and its forms for people and programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Console
from rich.table import Table

from clickloop.evaluation.failures import REASONS, Failure, Texts, find_failures
from clickloop.evaluation.measures import MEASURES, Difference, Measured, compare_all, measure
from clickloop.evaluation.run_files import Run, write_run
from foundation.disk.files import write_whole
from foundation.errors import InvalidRequest
from simulator.collection import JudgedCollection

_EXAMPLES = 5

RankAll = Callable[[str, dict[str, str]], Run]


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """Systems side by side. Queries are texts by query id; runs, measures and failures are by system."""

    title: str
    documents: int
    queries: dict[str, str]
    runs: dict[str, Run]
    measured: dict[str, Measured]
    differences: list[Difference]
    failures: dict[str, list[Failure]]

    @property
    def measures(self) -> list[str]:
        """Names of what was measured."""
        return list(next(iter(self.measured.values())).means)

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {
            "collection": self.title,
            "documents": self.documents,
            "queries": len(self.queries),
            "systems": {name: one.means for name, one in self.measured.items()},
            "differences": [
                asdict(pair) | {"most_won": self.extremes(pair, 1), "most_lost": self.extremes(pair, -1)}
                for pair in self.differences
            ],
            "failures": {
                name: {"reasons": self.reasons(name), "queries": [asdict(one) for one in failed]}
                for name, failed in self.failures.items()
            },
            "ndcg_by_query": {name: one.ndcg for name, one in self.measured.items()},
        }

    def reasons(self, system: str) -> dict[str, int]:
        """Return how many queries a system failed for each reason, all reasons named."""
        counted = Counter(failure.reason for failure in self.failures[system])
        return {reason: counted[reason] for reason in REASONS}

    def extremes(self, pair: Difference, sign: int) -> list[dict[str, Any]]:
        """Return the queries where a pair differs most: won by the first with sign 1, lost by it with -1."""
        first, second = self.measured[pair.first].ndcg, self.measured[pair.second].ndcg
        order = sorted(first, key=lambda query: (sign * (second[query] - first[query]), query))
        return [
            {"query": self.queries[query], pair.first: round(first[query], 4), pair.second: round(second[query], 4)}
            for query in order[:_EXAMPLES]
            if sign * (first[query] - second[query]) > 0
        ]


def compare(
    title: str,
    collection: JudgedCollection,
    split: str,
    systems: Sequence[str],
    rank: RankAll,
    seed: int,
    measures: Sequence[Any] = MEASURES,
) -> EvaluationReport:
    """Return how systems answer the judged queries of a split.

    Args:
        measures: What is measured; pairs are compared by nDCG@10 in any case.

    Raises:
        InvalidRequest: A system is named twice, or none is.
        NotFound: The collection has no such split.
    """
    if not systems or len(set(systems)) < len(systems):
        raise InvalidRequest(f"name each system once, at least one; not {', '.join(systems) or 'none'}")
    judgments = collection.split(split)
    queries = {query: collection.queries[query] for query in judgments}
    runs = {system: rank(system, queries) for system in systems}
    measured = {system: measure(judgments, run, measures) for system, run in runs.items()}
    texts = Texts({one["id"]: f"{one['title']} {one['text']}" for one in collection.documents})
    failures = {
        system: find_failures(queries, judgments, {query: list(scores) for query, scores in run.items()}, texts)
        for system, run in runs.items()
    }
    return EvaluationReport(
        title, len(collection.documents), queries, runs, measured, compare_all(measured, seed), failures
    )


def write_report(comparison: EvaluationReport, collection: JudgedCollection, folder: Path) -> None:
    """Write `report.html` and one TREC run file a system to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = Environment(loader=PackageLoader("clickloop"), autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("compare.html").render(
        comparison=comparison,
        measures=comparison.measures,
        reasons=REASONS,
        titles={one["id"]: one["title"] for one in collection.documents},
    )
    write_whole(folder / "report.html", page.encode())
    for system, run in comparison.runs.items():
        name = Path(system).stem if Path(system).is_file() else system
        write_run(run, folder / f"{name}.run", name)


def print_comparison(comparison: EvaluationReport, console: Console) -> None:
    """Print a comparison for people."""
    heading = f"{comparison.title}: {len(comparison.queries)} queries over {comparison.documents} documents"
    table = Table("system", *comparison.measures, title=heading)
    for system, one in comparison.measured.items():
        table.add_row(system, *(f"{mean:.4f}" for mean in one.means.values()))
    console.print(table)
    pairs = Table("pair", "nDCG@10", "95% interval", "p (Holm)", "won", "lost", title="Paired differences")
    for pair in comparison.differences:
        interval = f"{pair.low:+.4f} to {pair.high:+.4f}"
        name = f"{pair.first} over {pair.second}"
        pairs.add_row(name, f"{pair.gain:+.4f}", interval, f"{pair.corrected:.4f}", str(pair.wins), str(pair.losses))
    console.print(pairs)
    why = Table("no relevant document among ten", *comparison.failures, title="Failed queries by likeliest reason")
    for reason in REASONS:
        counts = [comparison.reasons(system)[reason] for system in comparison.failures]
        why.add_row(reason, *map(str, counts))
    why.add_row("all", *(str(len(failed)) for failed in comparison.failures.values()))
    console.print(why)
