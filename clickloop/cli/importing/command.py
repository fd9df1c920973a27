"""What `clickloop index` does, from its options to its summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from clickloop.cli.exporting import stored_documents
from clickloop.cli.importing.checkpoint import Checkpoint, ImportTally
from clickloop.cli.importing.delivery import MAX_DOCUMENTS, Ready, RefusedDocument, Sender
from clickloop.cli.importing.formats.delimited import Delimited, read_delimiter
from clickloop.cli.importing.formats.rows import Source, TableForm
from clickloop.cli.importing.formats.source import open_source
from clickloop.cli.importing.importer import Import
from clickloop.cli.importing.mapping import ColumnMap, parse_map
from clickloop.cli.importing.progress import say, show_progress
from foundation.errors import InvalidRequest
from foundation.http_client import ServiceClient
from foundation.retries import RetryPolicy

_TOLD_TO_PROGRAMS = 100


@dataclass(frozen=True, slots=True)
class Options:
    """What a person asks of an import.

    Attributes:
        columns: The map of columns, as it was written.
        strings: Cells of a CSV file stay text.
        numbers: Columns of a CSV file whose cells are numbers however they are written.
        encoding: Of a CSV file; "" is UTF-8, or UTF-16 where the file begins so.
        delimiter: Of a CSV file; "" is read off the file.
        restart: Forget how far an interrupted import of the same source came.
        strict: End at the first row that is not taken.
        dry_run: Read and tell, send nothing.
        delete_missing: After a whole import, delete what the collection holds and the source does not.
    """

    source: Path
    columns: Sequence[str] = ()
    strings: bool = False
    restart: bool = False
    strict: bool = False
    dry_run: bool = False
    delete_missing: bool = False
    numbers: Sequence[str] = ()
    encoding: str = ""
    delimiter: str = ""

    def form(self, columns: ColumnMap) -> TableForm:
        """Return how a source with a heading is read, under a map of its columns."""
        return TableForm(
            lambda column: self.strings or columns.makes_text(column),
            columns.names,
            [name.strip() for piece in self.numbers for name in piece.split(",")],
            self.encoding,
            read_delimiter(self.delimiter),
        )


@dataclass(slots=True)
class Summary:
    """How an import ended.

    Attributes:
        tally: What became of the rows, those of an interrupted run before included.
        resumed_at: Rows that were settled by an interrupted run.
        deleted: Documents deleted because the source has them no more.
        refusals: The first hundred rows of this run that were not taken.
        unseen: Columns of the map that no row had.
    """

    source: str
    dry_run: bool
    tally: ImportTally
    resumed_at: int = 0
    deleted: int = 0
    refusals: list[RefusedDocument] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return asdict(self.tally) | {
            "source": self.source,
            "dry_run": self.dry_run,
            "resumed_at": self.resumed_at,
            "deleted": self.deleted,
            "unseen_columns": self.unseen,
            "refusals": [one.to_json() for one in self.refusals],
        }

    def __str__(self) -> str:
        """Return one line for people."""
        tally = self.tally
        if self.dry_run:
            return f"{tally.rows} rows read, {tally.refused} of them not usable; nothing was sent"
        told = f"{tally.rows} rows: {tally.created} created, {tally.updated} updated, {tally.unchanged} unchanged"
        return f"{told}, {tally.refused} refused, {self.deleted} deleted"


def import_documents(
    remote: ServiceClient,
    options: Options,
    home: Path,
    console: Console,
    confirm: Callable[[int], bool] = lambda _count: True,
) -> Summary:
    """Send the documents of a source to a collection, and tell what became of them.

    An import that was interrupted goes on where it ended, as long as source, options, service and
    collection are the same. Every row that is not taken is told on `console` with its place.

    Args:
        home: Where the place of an interrupted import is kept.
        confirm: Asked with the number of documents before any is deleted.

    Raises:
        InvalidRequest: The source cannot be read as asked, a row was not taken and the import is
            strict, or documents cannot be deleted because the source was not taken as a whole.
        NotReady: No service answers.
    """
    if options.dry_run and options.delete_missing:
        raise InvalidRequest("--dry-run sends nothing, so nothing can be missing; leave out one of the two")
    columns = parse_map(options.columns)
    source = open_source(options.source, options.form(columns))
    if source.columns:
        columns.check(source.columns, options.source.name)
    retry = RetryPolicy(lambda reason, wait_s: say(console, f"waiting {wait_s:.1f} s: {reason}"))
    summary = Summary(str(options.source), options.dry_run, ImportTally())

    def tell(refusal: RefusedDocument) -> None:
        say(console, str(refusal))
        if len(summary.refusals) < _TOLD_TO_PROGRAMS:
            summary.refusals.append(refusal)

    if options.dry_run:
        run = Import(source, columns, _send_nothing, tell, strict=options.strict)
    else:
        remote.get("/healthz")
        checkpoint = _checkpoint(remote, options, home, source)
        run = Import(source, columns, Sender(remote, retry).send, tell, checkpoint, strict=options.strict)
    summary.resumed_at = run.tally.rows
    if summary.resumed_at:
        say(console, f"going on behind row {summary.resumed_at}, where the last run ended; --restart begins anew")
    with show_progress(console, source) as watch:
        summary.tally = run.run(watch)
    summary.unseen = columns.unseen()
    if summary.unseen:
        say(console, f"no row has the column {', '.join(summary.unseen)} that --map names")
    _tell_almost_numbers(source, console)
    if options.delete_missing:
        summary.deleted = _delete_missing(remote, retry, run, confirm)
    return summary


def _tell_almost_numbers(source: Source, console: Console) -> None:
    for name, cell in source.almost_numbers.items() if isinstance(source, Delimited) else ():
        say(console, f"column {name} stays text, for {cell} would be kept otherwise; --numbers {name} makes numbers")


def _delete_missing(remote: ServiceClient, retry: RetryPolicy, run: Import, confirm: Callable[[int], bool]) -> int:
    if run.tally.refused or not run.ids:
        why = f"{run.tally.refused} rows were refused" if run.tally.refused else "the source holds no document"
        raise InvalidRequest(f"{why}, so nothing is deleted: what looks missing may only be unreadable")
    missing = [one["id"] for one in stored_documents(remote, retry) if one["id"] not in run.ids]
    if not missing or not confirm(len(missing)):
        return 0
    for start in range(0, len(missing), MAX_DOCUMENTS):
        chunk = missing[start : start + MAX_DOCUMENTS]
        retry.ask(partial(remote.delete, "/v1/documents", chunk))
    return len(missing)


def _checkpoint(remote: ServiceClient, options: Options, home: Path, source: Source) -> Checkpoint[ImportTally]:
    purpose: dict[str, object] = {
        "source": str(options.source.resolve()),
        "service": remote.url,
        "collection": remote.collection,
        "columns": list(options.columns),
        "strings": options.strings,
        "numbers": list(options.numbers),
        "form": [options.encoding, options.delimiter],
    }
    checkpoint = Checkpoint(home / "imports", purpose, source.files, ImportTally())
    if options.restart:
        checkpoint.clear()
    return checkpoint


def _send_nothing(_batch: Sequence[Ready]) -> tuple[Counter[str], list[RefusedDocument]]:
    return Counter(), []
