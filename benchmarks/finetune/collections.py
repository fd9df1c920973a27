"""The judged collections on which the slow learners are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from simulator.collection import JudgedCollection, Judgments, read_beir, unseen_share
from simulator.docstrings import package_folders, parse_docstrings

NAMES = ("banking77", "postgresql_docs", "libreoffice_help")
_QUICK_DOCUMENTS = 100


def read_collections(data: Path | None, quick: bool, names: Sequence[str] = NAMES) -> dict[str, JudgedCollection]:
    """Return collections by name: those of a folder that it holds, else docstrings of two packages.

    Args:
        quick: The first alone, small.
        names: Which folders are read, in their order.
    """
    if data is not None:
        there = [name for name in names if (data / name).is_dir()][: 1 if quick else None]
        return {name: read_beir(data / name) for name in there}
    if quick:
        return {"numpy": parse_docstrings(package_folders(("numpy",)), _QUICK_DOCUMENTS)}
    return {name: parse_docstrings(package_folders((name,))) for name in ("numpy", "scipy")}


def ask_fewer(collection: JudgedCollection, most: int) -> JudgedCollection:
    """Return a collection with at most so many judged queries a split, drawn by their words.

    Not those that come first: files are often in the order of their topics.
    """

    def draw(judged: Judgments) -> Judgments:
        order = sorted(judged, key=lambda query: unseen_share(f"fewer {collection.queries[query]}"))
        return {query: judged[query] for query in order[:most]}

    return replace(collection, qrels={split: draw(judged) for split, judged in collection.qrels.items()})
