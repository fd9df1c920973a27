"""What a bench says: bars with value, bound and whether they are met; as JSON or as a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.harness.machine import describe_machine

_ENDLESS = 1e9  # JSON has no infinity


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing measured against its bound.

    Attributes:
        id: Name of the bar, such as "loop.6"; figures that belong together share it.
        what: What was measured, with its unit.
        value: The figure.
        bound: What it must not pass.
        met: Whether it does not.
    """

    id: str
    what: str
    value: float
    bound: float
    met: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """What one bench found.

    Attributes:
        details: Further figures, by name.
    """

    bars: list[Bar]
    details: dict[str, Any] = field(default_factory=dict)


def at_most(bar: str, what: str, value: float, bound: float) -> Bar:
    """Return a bar whose value must not exceed its bound."""
    return Bar(bar, what, round(min(value, _ENDLESS), 4), bound, value <= bound)


def at_least(bar: str, what: str, value: float, bound: float) -> Bar:
    """Return a bar whose value must reach its bound."""
    return Bar(bar, what, round(value, 4), bound, value >= bound)


def make_report(bench: str, seed: int, seconds: float, findings: Findings) -> dict[str, Any]:
    """Return the report of one run as JSON values."""
    return {
        "bench": bench,
        "machine": describe_machine(),
        "seed": seed,
        "seconds": round(seconds, 1),
        "bars": [asdict(bar) for bar in findings.bars],
        "details": findings.details,
    }


def print_report(report: dict[str, Any], console: Console) -> None:
    """Print a report for people."""
    machine = report["machine"]
    heading = f"bench {report['bench']}, seed {report['seed']}, {report['seconds']} s on {machine['cores']} cores"
    table = Table("bar", "what", "value", "bound", "", title=heading)
    for bar in report["bars"]:
        verdict = "[green]met[/green]" if bar["met"] else "[red]missed[/red]"
        table.add_row(bar["id"], bar["what"], f"{bar['value']:g}", f"{bar['bound']:g}", verdict)
    console.print(table)
    for name, value in report["details"].items():
        console.print(f"{name}: {value}", soft_wrap=True, markup=False)


def all_met(bars: Iterable[dict[str, Any]]) -> bool:
    """Return whether no bar is missed."""
    return all(bar["met"] for bar in bars)
