"""Lists in an order that does not depend on how relevant documents are, and their pages, however far they go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from foundation.arrays import Flags, Ints
from foundation.errors import FieldFault, InvalidRequest
from serving.index.corpus import Corpus
from serving.index.fields.filters import Near
from serving.index.fields.request import SortKey
from serving.paging.cursor import Cursor

Keys = Sequence[SortKey | Near]


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list.

    Attributes:
        rows: Rows of the corpus in their order.
        after: Where the next page begins, None at the end.
    """

    rows: Ints
    after: Cursor | None = None


def arrange(corpus: Corpus, rows: Ints, keys: Keys) -> Ints:
    """Return rows by fields. Equal ones stand in an order that is the same on every replica and stays as it is."""
    return corpus.fields.arrange(keys, rows[np.argsort(corpus.columns.keys[rows], kind="stable")])


def newest_first(corpus: Corpus, rows: Ints) -> Ints:
    """Return rows by their last change, the latest first."""
    return rows[np.argsort(-corpus.columns.changes[rows], kind="stable")]


def read_page(
    corpus: Corpus, cursor: Cursor, limit: int, *, matched: Flags, allowed: Flags | None, keys: Keys
) -> ListPage:
    """Return the page that begins at a cursor: of the head that it carries, then of all else that matches.

    Together the pages hold each document once that matches all the while and whose sorted fields stay as they are,
    whatever else changes meanwhile; documents that are added may be in it or not.

    Args:
        matched: What may stand behind the head, bool by row.
        allowed: What may stand in the head, None for every document.
        keys: Fields that what stands behind the head is sorted by.

    Raises:
        InvalidRequest: The cursor was not given for this order.
    """
    rows, place = _read_head(corpus, cursor, limit, allowed)
    left = limit - len(rows)
    after = cursor.after
    candidates = np.flatnonzero(matched)
    candidates = candidates[~np.isin(corpus.columns.keys[candidates], cursor.keys)]
    behind = arrange(corpus, candidates, keys)
    if after is not None:
        behind = behind[_stands_behind(corpus, behind, keys, after)]
    taken = behind[:left]
    if len(taken):
        last = int(taken[-1])
        after = corpus.fields.told(keys, last), int(corpus.columns.keys[last])
    page = np.concatenate([np.array(rows, np.int64), taken])
    if place >= len(cursor.head) and len(taken) == len(behind):
        return ListPage(page)
    return ListPage(page, replace(cursor, shown=cursor.shown + len(page), place=place, after=after))


def _read_head(corpus: Corpus, cursor: Cursor, limit: int, allowed: Flags | None) -> tuple[list[int], int]:
    """Return the rows of the next documents of the head that may still be listed, and how many are behind then."""
    if cursor.place >= len(cursor.head):
        return [], cursor.place
    listed = corpus.present() if allowed is None else allowed
    found = np.flatnonzero(np.isin(corpus.columns.keys[: len(listed)], cursor.keys) & listed)
    row_of = dict(zip(corpus.columns.keys[found].tolist(), found.tolist(), strict=True))
    rows: list[int] = []
    place = cursor.place
    while place < len(cursor.head) and len(rows) < limit:
        row = row_of.get(cursor.head[place])
        rows += [] if row is None else [row]
        place += 1
    return rows, place


def _stands_behind(corpus: Corpus, rows: Ints, keys: Keys, after: tuple[list[object], int]) -> Flags:
    """Return which rows stand behind a document in the order of `arrange`, by what it was sorted by, and its key."""
    values, key = after
    if len(values) != len(keys):
        reason = "was not given for this order; begin anew with *"
        raise InvalidRequest(f"the cursor {reason}", (FieldFault("cursor", reason),))
    behind = corpus.columns.keys[rows] > key
    for sides in reversed(corpus.fields.compare(keys, rows, values)):
        behind = (sides > 0) | ((sides == 0) & behind)
    return behind
