"""What a person sees while a source is read and sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from clickloop.cli.importing.formats.source import Source


@contextmanager
def show_progress(console: Console, source: Source) -> Iterator[Callable[[], None]]:
    """Show how far a source was read; yields what is to be called after each row."""
    told = TextColumn("{task.fields[rows]} rows")
    with Progress(
        TextColumn("reading and sending"),
        BarColumn(),
        DownloadColumn(),
        told,
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task("", total=source.total_bytes, rows=0)
        rows = 0

        def watch() -> None:
            nonlocal rows
            rows += 1
            progress.update(task, completed=source.done_bytes, rows=f"{rows:,}")

        yield watch


def say(console: Console, line: str) -> None:
    """Print a line as it is, however long."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)
