"""How two versions' results differ over queries that people asked (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrainer.gate.checks.change import expose


@dataclass(frozen=True, slots=True)
class QueryChange:
    """One query under both versions.

    Attributes:
        searches: How often it was asked.
        moved: Share of the attention to its results that goes to other documents, by 1 / log2(1 + rank).
        before: Document ids, best first.
        after: The same of the other version.
    """

    query: str
    searches: int
    moved: float
    before: list[str]
    after: list[str]


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """A document's share of all attention under both versions."""

    document_id: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What another version would have changed; shares are of searches.

    Attributes:
        unchanged: Share with the same results in the same order.
        same_first: Share with the same first result.
        overlap: Mean share of the results kept.
        moved: Share of all attention that goes to other documents.
        queries: Those that change most, weighed by their searches.
        documents: Those whose share of attention changes most.
    """

    asked: int
    searches: int
    unchanged: float
    same_first: float
    overlap: float
    moved: float
    queries: list[QueryChange]
    documents: list[DocumentChange]


def compare_results(
    before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]], searches: Mapping[str, int], most: int = 10
) -> WhatIf:
    """Return how the results of two versions differ.

    Args:
        before: Document ids by query, best first.
        after: The same of the other version, for the same queries.
        searches: How often each was asked.
        most: So many queries and documents are named.
    """
    total = sum(searches[query] for query in before)
    lists = {query: (list(before[query]), list(after[query])) for query in before}
    changes = [QueryChange(query, searches[query], _moved(*pair), *pair) for query, pair in lists.items()]
    largest = sorted(changes, key=lambda one: (-one.moved * one.searches, one.query))

    def share(value: Mapping[str, float]) -> float:
        return sum(value[query] * searches[query] for query in value) / total if total else 0.0

    documents = _compare_documents({query: pair[0] for query, pair in lists.items()}, after, searches)
    return WhatIf(
        asked=len(lists),
        searches=total,
        unchanged=share({query: float(old == new) for query, (old, new) in lists.items()}),
        same_first=share({query: float(old[:1] == new[:1]) for query, (old, new) in lists.items()}),
        overlap=share({query: _overlap(*pair) for query, pair in lists.items()}),
        moved=sum(abs(one.after - one.before) for one in documents) / 2,
        queries=[one for one in largest[:most] if one.moved > 0],
        documents=documents[:most],
    )


def _compare_documents(
    before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]], searches: Mapping[str, int]
) -> list[DocumentChange]:
    """Return the documents whose share of attention changes, the largest change first."""
    weights = {query: float(searches[query]) for query in before}
    old, new = (expose({query: list(found) for query, found in tops.items()}, weights) for tops in (before, after))
    changes = [DocumentChange(name, old.get(name, 0.0), new.get(name, 0.0)) for name in old.keys() | new.keys()]
    changed = [one for one in changes if one.before != one.after]
    return sorted(changed, key=lambda one: (-abs(one.after - one.before), one.document_id))


def _overlap(old: list[str], new: list[str]) -> float:
    longest = max(len(old), len(new))
    return len({*old} & {*new}) / longest if longest else 1.0


def _moved(old: list[str], new: list[str]) -> float:
    one = {"": 1.0}
    before, after = (expose({"": found}, one) for found in (old, new))
    names = before.keys() | after.keys()
    return sum(abs(after.get(name, 0.0) - before.get(name, 0.0)) for name in names) / 2
