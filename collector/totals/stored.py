"""The stored outcomes of a run, added up by the database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from collector.fold.signals import custom_signal
from collector.join.retention_watermark import hold_change
from collector.tables import custom_outcomes, outcome_latencies, outcomes
from collector.totals.run import ExperimentRun, Ratio, RunTotals, Sum, UnitCounts, UnitTable, UnitTotals

_STRATUM = ("unit", "arm", "day", "had_evidence")


def stored_totals(connection: sa.Connection, run: ExperimentRun) -> RunTotals:
    """Return what is stored of a run.

    Everything that is read of it until the transaction ends is as of one change: nothing is folded meanwhile.
    """
    return _StoredTotals(connection, run)


class _StoredTotals:
    def __init__(self, connection: sa.Connection, run: ExperimentRun) -> None:
        self._connection = connection
        self._run = run
        self.change = hold_change(connection, run.collection)

    @cached_property
    def _arms(self) -> list[str]:
        arms = sa.select(outcomes.c.arm).where(self._mine(outcomes)).distinct()
        return sorted(self._connection.execute(arms).scalars())

    def tabulate(self, ratios: Sequence[Ratio], had_evidence: bool | None = None) -> dict[str, UnitTable]:
        tables: list[UnitTable] = [{} for _ in ratios]
        if not ratios or not self._arms:
            return {ratio.name: table for ratio, table in zip(ratios, tables, strict=True)}
        units = self._by_unit(ratios, had_evidence).cte("units")
        one_arm = sa.literal(self._arms[0]) if len(self._arms) == 1 else None
        counted = [_count_units(units, place, one_arm) for place in range(len(ratios))]
        for place, arm, x, y, count in self._connection.execute(sa.union_all(*counted) if counted[1:] else counted[0]):
            tables[place].setdefault(arm, {})[int(x), int(y)] = count
        return {ratio.name: table for ratio, table in zip(ratios, tables, strict=True)}

    def per_unit(self, ratio: Ratio) -> Iterator[UnitTotals]:
        units = self._by_unit([ratio], None).add_columns(sa.column("unit", sa.String)).cte("units")
        for row in self._connection.execute(sa.select(units).where(units.c.y0 != 0)) if self._arms else ():
            yield UnitTotals(row.unit, row.arm, int(row.x0), int(row.y0))

    def units(self) -> UnitCounts:
        first, last = sa.func.min(outcomes.c.arm).label("first"), sa.func.max(outcomes.c.arm).label("last")
        searches = sa.func.sum(outcomes.c.searches).label("searches")
        by_unit = sa.select(first, last, searches).where(self._mine(outcomes)).group_by(outcomes.c.unit).subquery()
        counts = sa.select(by_unit.c.first, by_unit.c.last, sa.func.count(), sa.func.sum(by_unit.c.searches))
        counted = UnitCounts({}, 0, {}, self._segments())
        mixed = 0
        for one, other, units, total in self._connection.execute(counts.group_by(by_unit.c.first, by_unit.c.last)):
            if one == other:
                counted.units[one], counted.searches[one] = units, int(total)
            else:
                mixed += units
        return counted._replace(mixed=mixed)

    def latencies(self) -> dict[str, dict[int, int]]:
        table = outcome_latencies
        count = sa.func.sum(table.c.count)
        found: dict[str, dict[int, int]] = {}
        statement = sa.select(table.c.arm, table.c.bucket, count).where(self._mine(table), *self._unmixed(table))
        for arm, bucket, searches in self._connection.execute(statement.group_by(table.c.arm, table.c.bucket)):
            found.setdefault(arm, {})[bucket] = int(searches)
        return found

    def below(self, bounds: Mapping[str, int]) -> UnitTable:
        table = outcome_latencies
        found: UnitTable = {}
        for arm, bound in bounds.items():
            low = sa.func.sum(sa.case((table.c.bucket < bound, table.c.count), else_=0)).label("low")
            whole = sa.select(low, sa.func.sum(table.c.count).label("all"))
            of_arm = whole.where(self._mine(table), table.c.arm == arm, *self._unmixed(table))
            units = of_arm.group_by(table.c.unit).subquery()
            counts = sa.select(units.c.low, units.c.all, sa.func.count()).group_by(units.c.low, units.c.all)
            rows = self._connection.execute(counts)
            if table_of_arm := {(int(x), int(y)): count for x, y, count in rows}:
                found[arm] = table_of_arm
        return found

    def _segments(self) -> dict[tuple[str, str, bool], int]:
        """Return the units by arm, first surface by name, and whether all their searches named the user."""
        bytewise = "C" if self._connection.dialect.name == "postgresql" else "BINARY"
        first = {
            "arm": sa.func.min(outcomes.c.arm),
            "surface": sa.func.min(outcomes.c.surface.collate(bytewise)),
            "known": sa.func.min(sa.case((outcomes.c.known, 1), else_=0)),
        }
        columns = [value.label(name) for name, value in first.items()]
        mine = sa.select(*columns).where(self._mine(outcomes), *self._unmixed(outcomes))
        units = mine.group_by(outcomes.c.unit).subquery()
        counts = sa.select(*units.c, sa.func.count()).group_by(*units.c)
        rows = self._connection.execute(counts).all()
        return {(arm, surface, bool(known)): count for arm, surface, known, count in map(tuple, rows)}

    def _by_unit(self, ratios: Sequence[Ratio], had_evidence: bool | None) -> sa.Select[Any]:
        """Select the arm and the sums x0, y0, x1, y1, ... of each unit that is seen in one arm only."""
        source = self._source({name for ratio in ratios for name, _ in (*ratio.numerator, *ratio.denominator)})
        sums = [
            _total(source, terms, ratio.until_day, had_evidence).label(f"{side}{place}")
            for place, ratio in enumerate(ratios)
            for side, terms in (("x", ratio.numerator), ("y", ratio.denominator))
        ]
        first, last = sa.func.min(source.c.arm), sa.func.max(source.c.arm)
        one_arm = len(self._arms) == 1  # as interleaving has; to compare texts takes half of the time
        arm: sa.ColumnElement[str] = sa.literal(self._arms[0]) if one_arm else first
        columns: list[sa.ColumnElement[Any]] = [arm.label("arm"), *sums]
        units = sa.select(*columns).group_by(source.c.unit)
        units = units.where(self._mine(source)) if source is outcomes else units
        return units if one_arm else units.having(first == last)

    def _source(self, signals: Collection[str]) -> sa.FromClause:
        """Return rows that hold these signals: the outcomes, or with custom events among them those of both tables."""
        custom = {term: named for term in sorted(signals) if (named := custom_signal(term))}
        if not custom:
            return outcomes
        base = [name for name in sorted(signals) if name not in custom]
        searched = [*(outcomes.c[name] for name in base), *(sa.literal(0).label(term) for term in custom)]
        told = [sa.literal(0).label(name) for name in base]
        for term, (event, part) in custom.items():
            told.append(sa.case((custom_outcomes.c.name == event, custom_outcomes.c[part]), else_=0).label(term))
        rows = [
            sa.select(*(table.c[name] for name in _STRATUM), *values).where(self._mine(table))
            for table, values in ((outcomes, searched), (custom_outcomes, told))
        ]
        return sa.union_all(*rows).subquery("signals")

    def _unmixed(self, table: sa.Table) -> list[sa.ColumnElement[bool]]:
        """Return the condition that a row is of a unit that is seen in one arm only."""
        if len(self._arms) <= 1:
            return []
        units = sa.select(outcomes.c.unit).where(self._mine(outcomes)).group_by(outcomes.c.unit)
        return [table.c.unit.not_in(units.having(sa.func.min(outcomes.c.arm) != sa.func.max(outcomes.c.arm)))]

    def _mine(self, table: sa.FromClause) -> sa.ColumnElement[bool]:
        return sa.and_(*(table.c[name] == value for name, value in self._run._asdict().items()))


def _total(
    source: sa.FromClause, terms: Sum, until_day: int | None, had_evidence: bool | None
) -> sa.ColumnElement[int]:
    products = [source.c[name] if factor == 1 else source.c[name] * factor for name, factor in terms]
    value: sa.ColumnElement[int] = sum(products[1:], products[0]) if products else sa.literal(0)
    bounds = [] if until_day is None else [source.c.day <= until_day]
    bounds += [] if had_evidence is None else [source.c.had_evidence == had_evidence]
    return sa.func.sum(sa.case((sa.and_(*bounds), value), else_=0) if bounds else value)


def _count_units(units: sa.CTE, place: int, one_arm: sa.ColumnElement[str] | None) -> sa.Select[Any]:
    x, y = units.c[f"x{place}"], units.c[f"y{place}"]
    arm, same = (units.c.arm, [units.c.arm]) if one_arm is None else (one_arm, [])
    counted = sa.select(sa.literal_column(str(place)), arm, x, y, sa.func.count())
    return counted.where(y != 0).group_by(*same, x, y)
