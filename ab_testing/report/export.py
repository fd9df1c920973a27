"""The sums of an experiment as a table, for whoever wants to recompute its figures elsewhere."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from ab_testing.decide.look import Look
from ab_testing.design.experiment import Decision, Experiment
from ab_testing.stats.quantile import QuantileStatistics
from ab_testing.stats.ratio import RatioStatistics
from foundation.errors import needs_extra

Row = dict[str, Any]

_TEXTS = ("experiment", "plan_hash", "decision", "metric", "arm")
_WHOLE = ("run", "change", "units", "searches", "n")
_NUMBERS = ("days", "sum_x", "sum_y", "sum_xx", "sum_yy", "sum_xy", "value", "standard_error")
COLUMNS = (*_TEXTS, *_WHOLE, *_NUMBERS)


def tabulate_sums(experiment: Experiment, looks: Iterable[Look], decisions: Iterable[Decision]) -> Iterator[Row]:
    """Yield a row for each metric and arm of every look of the present run, then of every decision, oldest first.

    A ratio has its six sums, a quantile its value and the standard error of its logarithm. `decision` is empty in the
    rows of looks.
    """
    for look in looks:
        yield from _rows(look, _head(experiment, experiment.run, experiment.plan.hash))
    for decision in sorted(decisions, key=lambda one: one.at):
        if "look" in decision.inputs:
            head = _head(experiment, decision.run, decision.plan_hash) | {"decision": decision.id}
            yield from _rows(Look.from_json(decision.inputs["look"]), head)


def write_parquet(rows: Iterable[Row]) -> bytes:
    """Return the rows as a Parquet file of the columns `COLUMNS`.

    Raises:
        MissingExtra: The extra `parquet` is not installed.
    """
    with needs_extra("parquet", "the format parquet"):
        import pyarrow.parquet  # noqa: PLC0415  a service without the extra starts, and answers all other formats
    kinds = {_TEXTS: pyarrow.string(), _WHOLE: pyarrow.int64(), _NUMBERS: pyarrow.float64()}
    schema = pyarrow.schema([(name, kind) for names, kind in kinds.items() for name in names])
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema), file)
    return file.getvalue()


def _head(experiment: Experiment, run: int, plan_hash: str) -> Row:
    return {"experiment": experiment.id, "run": run, "plan_hash": plan_hash, "decision": ""}


def _rows(look: Look, head: Row) -> Iterator[Row]:
    for metric, arm, sums in _sums(look):
        counted = {"units": look.units.get(arm, 0), "searches": look.searches.get(arm, 0)}
        told = {name: value for name, value in asdict(sums).items() if name in COLUMNS}
        yield head | {"metric": metric, "arm": arm, "days": look.days, "change": look.change} | counted | told


def _sums(look: Look) -> Iterator[tuple[str, str, RatioStatistics | QuantileStatistics]]:
    yield from ((metric, arm, sums) for metric, arms in look.ratios.items() for arm, sums in arms.items())
    yield from ((metric, arm, sums) for metric, arms in look.quantiles.items() for arm, sums in arms.items())
