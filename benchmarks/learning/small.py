"""Small collections and few clicks: whether any training, or what acts at once, makes the ranking worse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.finetune.collections import ask_fewer
from benchmarks.harness.evaluation import open_harness
from benchmarks.harness.report import Bar, Findings, at_least, at_most
from benchmarks.learning.closed_loop import LoopRow, Setting, Simulation
from benchmarks.learning.worlds import take_part, with_dev_split
from foundation.errors import NotFound
from foundation.settings import Settings
from simulator.collection import JudgedCollection, read_beir
from simulator.docstrings import package_folders, parse_docstrings

CLICKS = 600
"""Of the last training; the first ones have 40, 120 and 200."""

_DOCUMENTS, _QUICK_DOCUMENTS = (70, 150, 300), (70,)
_USERS, _QUICK_USERS = ("trust", "cascade", "position"), ("trust",)
_PACKAGES = ("numpy", "scipy")
_QUERIES, _MIN_QUERIES = 500, 20
_MEAN, _WORST, _HARMED = -0.005, -0.01, 0.08


@dataclass(frozen=True, slots=True)
class SmallRow:
    """What one training made of a small collection."""

    collection: str
    documents: int
    users: str
    queries: int
    row: LoopRow

    @property
    def gain(self) -> float:
        """NDCG@10 over production on the held-out queries."""
        return self.row.held_out - self.row.held_out_before

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        told = {"collection": self.collection, "documents": self.documents, "users": self.users}
        return told | {"held-out queries": self.queries} | self.row.to_json()


def run(data: Path | None, seed: int, quick: bool, dev: bool, tell: Callable[[str], None]) -> Findings:
    """Return how trainings on 40 to 600 clicks change parts of collections, with 70 to 300 documents.

    The learners are those of production, without the gate behind them, and clicks act at once all the while.

    Args:
        data: Folder of collections in BEIR form; docstrings of two packages without one.
        dev: Judge on a part of the train queries, to choose settings by; the test queries stay unseen.

    Raises:
        NotFound: No collection has a part with enough queries.
    """
    rows: list[SmallRow] = []
    for name, whole in _collections(data, quick):
        for documents in _QUICK_DOCUMENTS if quick else _DOCUMENTS:
            part = ask_fewer(take_part(with_dev_split(whole) if dev else whole, documents, seed), _QUERIES)
            fewest = min(len(part.qrels.get(split, {})) for split in ("train", "test"))
            if documents > len(whole.documents) or fewest < _MIN_QUERIES:
                tell(f"{name}: no part of {documents} documents that answers enough queries")
                continue
            rows += _learn(name, part, _QUICK_USERS if quick else _USERS, seed, tell)
    if not rows:
        raise NotFound(f"{data or 'docstrings'}: no part of a collection answers enough queries")
    return Findings(bars_of(rows), {"trainings": [row.to_json() for row in rows]})


def _collections(data: Path | None, quick: bool) -> Iterator[tuple[str, JudgedCollection]]:
    if data is None:
        for package in _PACKAGES[: 1 if quick else None]:
            yield package, parse_docstrings(package_folders((package,)))
        return
    for folder in sorted(path.parent for path in data.glob("*/corpus.jsonl"))[: 1 if quick else None]:
        yield folder.name, read_beir(folder)


def _learn(
    name: str, part: JudgedCollection, users: Sequence[str], seed: int, tell: Callable[[str], None]
) -> Iterator[SmallRow]:
    world = open_harness(part, Settings())
    for user in users:
        setting = Setting(f"{name}, {len(part.documents)} documents, {user}", user=user)
        for row in Simulation(world, setting, CLICKS, seed).run(tell):
            yield SmallRow(name, len(part.documents), user, len(world.held_out), row)


def bars_of(rows: Sequence[SmallRow]) -> list[Bar]:
    """Return the bars of some trainings: their mean, and the worst one."""
    gains = [row.gain for row in rows]
    worst = min(rows, key=lambda row: row.gain)
    where = f"{worst.row.name}, {worst.row.clicks} clicks"
    harmed = max(rows, key=lambda row: row.row.harmed)
    return [
        at_least("small", f"nDCG@10 gained on held-out queries, mean of {len(rows)} trainings", fmean(gains), _MEAN),
        at_least("small", f"the same, worst training ({where})", worst.gain, _WORST),
        at_most("small", "share of held-out queries harmed, mean", fmean(row.row.harmed for row in rows), _HARMED),
        at_most("small", f"the same, most harmful training ({harmed.row.name})", harmed.row.harmed, _HARMED),
    ]
