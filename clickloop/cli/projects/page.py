"""What a project found: tables and a picture, for people, for programs, and as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from foundation.disk.files import write_whole


@dataclass(frozen=True, slots=True)
class ProjectTable:
    """Rows of words and figures under a heading."""

    heading: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        lines = [self.columns, ("---",) * len(self.columns), *self.rows]
        cells = ("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        return f"## {self.heading}\n\n" + "\n".join(cells) + "\n"


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """What a project found.

    Attributes:
        notes: Sentences about it.
        pictures: SVG by name.
        facts: The same for programs.
    """

    title: str
    notes: list[str]
    tables: list[ProjectTable]
    pictures: dict[str, str]
    facts: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return what was found as JSON values."""
        return {"title": self.title, "notes": self.notes} | self.facts

    def write(self, folder: Path) -> None:
        """Write `page.md` with its pictures, and `facts.json`, to a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        shown = [f"![{name}]({name}.svg)\n" for name in self.pictures]
        parts = [f"# {self.title}\n", *(f"{note}\n" for note in self.notes), *shown]
        page = "\n".join([*parts, *(table.to_markdown() for table in self.tables)])
        write_whole(folder / "page.md", page.encode())
        write_whole(folder / "facts.json", json.dumps(self.to_json(), ensure_ascii=False, indent=2).encode())
        for name, picture in self.pictures.items():
            write_whole(folder / f"{name}.svg", picture.encode())

    def print(self, console: Console) -> None:
        """Print what was found for people."""
        console.rule(f"[bold]{self.title}[/bold]")
        for one in self.tables:
            table = Table(*one.columns, title=one.heading)
            for row in one.rows:
                table.add_row(*row)
            console.print(table)
        for note in self.notes:
            console.print(note, highlight=False)


def sign(value: float, digits: int = 4) -> str:
    """Return a change with its sign."""
    return f"{value:+.{digits}f}"


def span(low: float, high: float, digits: int = 4) -> str:
    """Return the ends of an interval in words."""
    return f"{low:+.{digits}f} to {high:+.{digits}f}"


def figures(values: Sequence[float], digits: int = 4) -> tuple[str, ...]:
    """Return figures as the cells of a row."""
    return tuple(f"{value:.{digits}f}" for value in values)
