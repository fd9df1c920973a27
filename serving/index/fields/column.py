"""The values of one field by row, in arrays that one thread lengthens and many read."""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from foundation.arrays import Doubles, Flags, Ints
from foundation.language.folding import fold
from serving.index.fields.filters import Range
from serving.index.fields.values import FieldType, Value, show_value
from serving.index.fields.words import WordsOfValues

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int32]

DTYPES: dict[FieldType, type[np.generic]] = {
    "keyword": np.int32,  # positions in the column's words
    "number": np.float64,
    "date": np.int64,
    "boolean": np.bool_,
}
_COMPARISONS = {"gt": np.greater, "gte": np.greater_equal, "lt": np.less, "lte": np.less_equal}
_SPARSE = 16  # how much dearer it is to look a row up than to go over one of the column


@dataclass(frozen=True, slots=True)
class ColumnRun:
    """Values in the order of their rows; a row with several values comes several times.

    Attributes:
        rows: Shape (n,), ascending.
        values: Shape (n,), of the column's dtype.
        repeats: Whether a row may come more than once.
    """

    rows: Rows
    values: Array
    repeats: bool

    def until(self, end: int) -> ColumnRun:
        """Return what belongs to the rows below `end`."""
        if not len(self.rows) or self.rows[-1] < end:
            return self
        count = int(np.searchsorted(self.rows, np.int32(end)))
        return ColumnRun(self.rows[:count], self.values[:count], self.repeats)

    def mark(self, flags: Flags, hits: Flags) -> None:
        """Set the flags, by row, of the rows whose value hits; `hits` is by value, shape (n,)."""
        if self._is_gapless():
            flags[self.rows[0] : self.rows[0] + len(self.rows)] = hits
        else:
            flags[self.rows[np.flatnonzero(hits)]] = True

    def pick(self, rows: Ints) -> Array:
        """Return all values of distinct rows, in no particular order."""
        if self._is_gapless() or len(rows) * _SPARSE <= len(self.rows) or not len(self.rows):
            return self.find(rows)[1]
        wanted = np.zeros(max(int(rows.max()), int(self.rows[-1])) + 1, np.bool_)
        wanted[rows] = True
        picked: Array = self.values[np.flatnonzero(wanted[self.rows])]
        return picked

    def find(self, rows: Ints) -> tuple[Ints, Array]:
        """Return the values of distinct rows, each with the index of its row in `rows`."""
        if self._is_gapless():
            indices = rows - self.rows[0]
            found = np.flatnonzero((indices >= 0) & (indices < len(self.rows)))
            return found, self.values[indices[found]]
        narrow = rows.astype(np.int32)  # a search across dtypes would copy all of the column
        first = np.searchsorted(self.rows, narrow)
        counts = np.searchsorted(self.rows, narrow, "right") - first
        indices = np.repeat(np.arange(len(rows)), counts)
        within = np.arange(len(indices)) - np.repeat(np.cumsum(counts) - counts, counts)
        return indices, self.values[first[indices] + within]

    def _is_gapless(self) -> bool:
        return not self.repeats and len(self.rows) > 0 and int(self.rows[-1] - self.rows[0]) == len(self.rows) - 1


class Column:
    """One field's values.

    Rows come in ascending order. A reader sees whole rows; what it has read stays as it is.

    Args:
        base: Values that are there already, as they were saved.
        words: The distinct keywords in the order of their numbers, of a keyword column's base.
    """

    def __init__(self, field_type: FieldType, base: ColumnRun | None = None, words: Sequence[str] = ()) -> None:
        self.type = field_type
        self.words = list(words)
        self._codes = {word: code for code, word in enumerate(self.words)}
        self._base = base
        self._rows: Rows = np.zeros(8, np.int32)
        self._values: Array = np.zeros(8, DTYPES[field_type])
        self._repeats = False
        self._count = 0
        self._words = WordsOfValues()
        self._ranked: tuple[list[str], Ints] = ([], np.zeros(0, np.int64))

    def add(self, row: int, values: list[Value]) -> None:
        """Append a row with its distinct values, in the form that `read_value` gives."""
        stored = [self._encode(value) for value in values]
        start, end = self._count, self._count + len(stored)
        if end > len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros(end, np.int32)])
            self._values = np.concatenate([self._values, np.zeros(end, self._values.dtype)])
        for index, one in enumerate(stored, start):
            self._rows[index] = row
            self._values[index] = one
        self._repeats = self._repeats or len(stored) > 1
        self._count = end  # last: readers look no further

    def runs(self) -> list[ColumnRun]:
        """Return everything there is, in at most two runs: what was saved and what came since."""
        count = self._count  # first: whatever is read after it is at least as long
        delta = ColumnRun(self._rows[:count], self._values[:count], self._repeats)
        return [self._base, delta] if self._base else [delta]

    def exists(self, rows: int) -> Flags:
        """Return which of the rows below `rows` have a value, shape (rows,)."""
        return self._mark(rows, lambda stored: np.ones(len(stored), np.bool_))

    def equals(self, values: list[Value], rows: int) -> Flags:
        """Return which of the rows below `rows` have one of `values`, shape (rows,)."""
        return self._mark(rows, lambda stored: self._equal(stored, values))

    def holds(self, value: Value, rows: Ints) -> Flags:
        """Return which of distinct rows have a value, shape (len(rows),)."""
        return self._among(rows, lambda stored: self._equal(stored, [value]))

    def known(self, rows: Ints) -> Flags:
        """Return which of distinct rows have any value, shape (len(rows),)."""
        return self._among(rows, lambda stored: np.ones(len(stored), np.bool_))

    def stored(self, rows: Ints) -> tuple[Ints, Array]:
        """Return the values of distinct rows as they are stored, each with the index of its row in `rows`."""
        found = [run.find(rows) for run in self.runs()]
        return np.concatenate([indices for indices, _ in found]), np.concatenate([values for _, values in found])

    def within(self, bounds: Range, rows: int) -> Flags:
        """Return which of the rows below `rows` have a value inside `bounds`, shape (rows,)."""
        return self._mark(rows, lambda stored: _inside(stored, bounds))

    def holding(self, words: Collection[str], rows: int) -> Flags:
        """Return which of the rows below `rows` have a keyword with all of some words in their normal form."""
        codes = self._words.codes(self.words, words)
        wanted = np.zeros(len(self.words), np.bool_)
        wanted[codes] = True
        return self._mark(rows, lambda stored: wanted[np.minimum(stored, len(wanted) - 1)] & (stored < len(wanted)))

    def single(self, rows: Ints) -> Doubles:
        """Return the value of each row of a number column, not a number where it has none or several; shape (n,)."""
        values, counts = np.full(len(rows), np.nan), np.zeros(len(rows), np.int64)
        for run in self.runs():
            found, stored = run.find(rows)
            np.add.at(counts, found, 1)
            values[found] = stored
        values[counts != 1] = np.nan
        return values

    def range(self, rows: Ints) -> tuple[Value, Value] | None:
        """Return the smallest and the largest value of distinct rows as JSON values, None without any."""
        picked = np.concatenate([run.pick(rows) for run in self.runs()])
        if not len(picked):
            return None
        low, high = picked.min().item(), picked.max().item()
        return show_value(low, self.type), show_value(high, self.type)

    def count(self, rows: Ints, limit: int, part: str = "") -> list[tuple[Value, int]]:
        """Return the most frequent values of distinct rows with the number of rows; ties by value.

        Args:
            part: In its normal form, what the normal form of a counted keyword holds; "" counts every value.
        """
        picked = np.concatenate([run.pick(rows) for run in self.runs()])
        distinct, counts = self._tally(picked)
        if part:
            held = np.array([part in fold(str(self._shown(value))) for value in distinct.tolist()], np.bool_)
            distinct, counts = distinct[held], counts[held]
        if 0 < limit < len(counts):
            kept = np.flatnonzero(counts >= np.partition(counts, -limit)[-limit])
            distinct, counts = distinct[kept], counts[kept]
        values = [self.words[code] for code in distinct] if self.type == "keyword" else distinct.tolist()
        pairs = zip(values, counts.tolist(), strict=True)
        ranked = heapq.nsmallest(limit, pairs, key=lambda pair: (-pair[1], pair[0]))
        return [(show_value(value, self.type), count) for value, count in ranked]

    def order(self, rows: Ints, descending: bool) -> Ints:
        """Return distinct rows by value, those without one last; equal ones keep their order.

        Of several values the smallest counts, in descending order the largest.
        """
        lowest, has = self._lowest(rows, descending)
        present = np.flatnonzero(has)
        ordered = present[np.argsort(lowest[present], kind="stable")]
        arranged: Ints = rows[np.concatenate([ordered, np.flatnonzero(~has)])]
        return arranged

    def compare(self, rows: Ints, descending: bool, value: Value | None) -> npt.NDArray[np.int8]:
        """Return whether each row is ordered before a value (-1), beside it (0) or behind it (1), shape (n,).

        Args:
            value: As `told` says it; None stands behind every value.
        """
        lowest, has = self._lowest(rows, descending)
        if value is None:
            return np.where(has, -1, 0).astype(np.int8)
        key = self._key(value)
        key = -key if descending else key
        sides = (lowest > key).astype(np.int8) - (lowest < key).astype(np.int8)
        return np.where(has, sides, 1).astype(np.int8)

    def told(self, row: int, descending: bool) -> Value | None:
        """Return the value that a row is ordered by, as it is stored and a keyword as it is; None without one."""
        stored = [one for run in self.runs() for one in run.find(np.array([row]))[1].tolist()]
        told: list[Value] = sorted(map(self._as_told, stored))
        return told[-1 if descending else 0] if told else None

    def _lowest(self, rows: Ints, descending: bool) -> tuple[Array, Flags]:
        """Return by what each row is ordered, ascending, and which rows have a value; shape (n,) each."""
        indices, values = self.stored(rows)
        keys = self._rank(values)
        keys = -keys if descending else keys
        lowest = np.full(len(rows), np.inf if keys.dtype.kind == "f" else np.iinfo(keys.dtype).max, keys.dtype)
        np.minimum.at(lowest, indices, keys)
        has = np.zeros(len(rows), np.bool_)
        has[indices] = True
        return lowest, has

    def _as_told(self, stored: Any) -> Any:
        return self.words[stored] if self.type == "keyword" else stored

    def _shown(self, stored: Any) -> Value:
        return show_value(self._as_told(stored), self.type)

    def _key(self, value: Value) -> float:
        """Return the number that a value has among those of `_rank`; between two of them where none has it."""
        if self.type != "keyword":
            return float(value)
        ordered, _ = self._ranked
        place = bisect_left(ordered, str(value))
        return place if place < len(ordered) and ordered[place] == value else place - 0.5

    def _mark(self, rows: int, test: Callable[[Array], Flags]) -> Flags:
        """Return which of the rows below `rows` have a stored value that passes a test, shape (rows,)."""
        flags = np.zeros(rows, np.bool_)
        for run in self.runs():
            cut = run.until(rows)
            cut.mark(flags, test(cut.values))
        return flags

    def _among(self, rows: Ints, test: Callable[[Array], Flags]) -> Flags:
        flags = np.zeros(len(rows), np.bool_)
        for run in self.runs():
            found, stored = run.find(rows)
            flags[found[test(stored)]] = True
        return flags

    def _encode(self, value: Value) -> Value:
        if self.type != "keyword":
            return value
        word = str(value)
        code = self._codes.get(word)
        if code is None:
            code = self._codes[word] = len(self.words)
            self.words.append(word)
        return code

    def _equal(self, stored: Array, values: list[Value]) -> Flags:
        if self.type != "keyword":
            return _one_of(stored, values)
        codes = [code for value in values if (code := self._codes.get(str(value))) is not None]
        if len(codes) < 2:
            return _one_of(stored, codes)
        wanted = np.zeros(len(self.words), np.bool_)
        wanted[codes] = True
        hits: Flags = wanted[stored]
        return hits

    def _tally(self, picked: Array) -> tuple[Array, Ints]:
        """Return the distinct stored values and how often each comes."""
        if self.type != "keyword":
            distinct, counts = np.unique(picked, return_counts=True)
            return distinct, counts
        often = np.bincount(picked)
        codes = np.flatnonzero(often)
        return codes, often[codes]

    def _rank(self, stored: Array) -> Array:
        """Return numbers that sort like the stored values."""
        if self.type == "boolean":
            return stored.astype(np.int8)
        if self.type != "keyword":
            return stored
        if len(self._ranked[0]) < len(self.words):
            words = list(enumerate(self.words))  # at one moment: another thread may lengthen them
            words.sort(key=lambda pair: pair[1])
            ranks = np.zeros(len(words), np.int64)
            ranks[[code for code, _ in words]] = np.arange(len(words))
            self._ranked = [word for _, word in words], ranks
        ranked: Array = self._ranked[1][stored]
        return ranked


def _one_of(stored: Array, values: Sequence[Value]) -> Flags:
    if not values:
        return np.zeros(len(stored), np.bool_)
    hits: Flags = stored == values[0] if len(values) == 1 else np.isin(stored, np.array(values, stored.dtype))
    return hits


def _inside(stored: Array, bounds: Range) -> Flags:
    hits = np.ones(len(stored), np.bool_)
    for name, compare in _COMPARISONS.items():
        bound = getattr(bounds, name)
        if bound is not None:
            hits &= compare(stored, bound)
    return hits
