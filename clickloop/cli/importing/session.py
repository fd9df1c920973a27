"""What an import and the replay of a log have in common: options, what they tell, and how they are taken up again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from clickloop.cli.importing.checkpoint import Checkpoint, Kept
from clickloop.cli.importing.delivery import RefusedRow
from clickloop.cli.importing.formats.source import Source
from foundation.http_client import ServiceClient
from foundation.retries import RetryPolicy

_MAX_REFUSALS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """What a person asks of the reading of any source.

    Attributes:
        columns: The map of columns, as it was written.
        encoding: Of CSV files; "" is UTF-8, or UTF-16 where a file begins so.
        delimiter: Of CSV files; "" is read off each file.
        restart: Forget how far an interrupted run over the same source came.
        dry_run: Read and tell, send nothing.
    """

    columns: Sequence[str] = ()
    encoding: str = ""
    delimiter: str = ""
    restart: bool = False
    dry_run: bool = False


@dataclass(slots=True, kw_only=True)
class Summary(Generic[Kept]):
    """How a run over a source ended.

    Attributes:
        tally: What became of the rows, those of an interrupted run before included.
        resumed_at: Rows that an interrupted run had settled.
        refusals: The first hundred rows of this run that were not taken.
        unseen: Columns of the map that no row had.
    """

    tally: Kept
    dry_run: bool
    resumed_at: int = 0
    refusals: list[RefusedRow] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return asdict(self.tally) | {
            "dry_run": self.dry_run,
            "resumed_at": self.resumed_at,
            "unseen_columns": self.unseen,
            "refusals": [one.to_json() for one in self.refusals],
        }


class MappedColumns(Protocol):
    """The columns that a person named."""

    def unseen(self) -> list[str]:
        """Return those that no row had so far."""


class Session(Generic[Kept]):
    """One run over a source, as the person at the console follows it; it fills the summary."""

    def __init__(
        self, service: ServiceClient, options: SourceOptions, summary: Summary[Kept], *, home: Path, console: Console
    ) -> None:
        self._service = service
        self._options = options
        self._summary = summary
        self._home = home
        self._console = console
        self.retry = RetryPolicy(lambda reason, pause_s: self.say(f"waiting {pause_s:.1f} s: {reason}"))

    def say(self, line: str) -> None:
        """Print a line as it is, however long."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def refuse(self, refusal: RefusedRow) -> None:
        """Tell of a row that is not taken, with file, line and column."""
        self.say(str(refusal))
        if len(self._summary.refusals) < _MAX_REFUSALS:
            self._summary.refusals.append(refusal)

    def open_checkpoint(self, files: Sequence[Path], **purpose: object) -> Checkpoint[Kept] | None:
        """Return where the run keeps its place, None for one that sends nothing.

        Args:
            purpose: What tells this run from others, beside the options that any run has.

        Raises:
            NotReady: No service answers.
        """
        if self._options.dry_run:
            return None
        self._service.get("/healthz")
        purpose |= {
            "service": self._service.url,
            "collection": self._service.collection,
            "columns": list(self._options.columns),
            "form": [self._options.encoding, self._options.delimiter],
        }
        checkpoint = Checkpoint(self._home / "imports", purpose, files, self._summary.tally)
        if self._options.restart:
            checkpoint.clear()
        return checkpoint

    def carry_out(
        self, source: Source, columns: MappedColumns, resumed_at: int, run: Callable[[Callable[[], None]], Kept]
    ) -> None:
        """Run from where an interrupted run ended, and tell of that and of columns that no row had."""
        self._summary.resumed_at = resumed_at
        if resumed_at:
            self.say(f"going on behind row {resumed_at}, where the last run ended; --restart begins anew")
        with _show_progress(self._console, source) as watch:
            self._summary.tally = run(watch)
        self._summary.unseen = columns.unseen()
        if self._summary.unseen:
            self.say(f"no row has the column {', '.join(self._summary.unseen)} that --map names")


@contextmanager
def _show_progress(console: Console, source: Source) -> Iterator[Callable[[], None]]:
    """Show how far a source was read; yields what is to be called after each row."""
    doing, counted = TextColumn("reading and sending"), TextColumn("{task.fields[rows]} rows")
    columns = (doing, BarColumn(), DownloadColumn(), counted, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=source.total_bytes, rows=0)
        rows = 0

        def watch() -> None:
            nonlocal rows
            rows += 1
            progress.update(task, completed=source.done_bytes, rows=f"{rows:,}")

        yield watch
