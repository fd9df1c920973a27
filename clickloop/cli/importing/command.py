"""What `clickloop index` does, from its options to its summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from clickloop.cli.exporting import stored_documents
from clickloop.cli.importing.checkpoint import ImportTally
from clickloop.cli.importing.column_map import ColumnMap, parse_map
from clickloop.cli.importing.delivery import MAX_DOCUMENTS, DocumentDelivery
from clickloop.cli.importing.formats.delimited import Delimited, read_delimiter
from clickloop.cli.importing.formats.detection import open_source
from clickloop.cli.importing.formats.source import TableForm
from clickloop.cli.importing.importer import Import
from clickloop.cli.importing.session import Session, SourceOptions, Summary
from foundation.errors import InvalidRequest
from foundation.http_client import ServiceClient
from foundation.retries import RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions(SourceOptions):
    """What a person asks of an import.

    Attributes:
        strings: Cells of a CSV file stay text.
        numbers: Columns of a CSV file whose cells are numbers however they are written.
        strict: End at the first row that is not taken.
        delete_missing: After a whole import, delete what the collection holds and the source does not.
    """

    source: Path
    strings: bool = False
    numbers: Sequence[str] = ()
    strict: bool = False
    delete_missing: bool = False

    def form(self, columns: ColumnMap) -> TableForm:
        """Return how a source with a heading is read, under a map of its columns."""
        return TableForm(
            lambda column: self.strings or columns.makes_text(column),
            columns.names,
            [name.strip() for piece in self.numbers for name in piece.split(",")],
            self.encoding,
            read_delimiter(self.delimiter),
        )


@dataclass(slots=True, kw_only=True)
class ImportSummary(Summary[ImportTally]):
    """How an import ended.

    Attributes:
        deleted: Documents deleted because the source has them no more.
    """

    source: str
    deleted: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return Summary.to_json(self) | {"source": self.source, "deleted": self.deleted}

    def __str__(self) -> str:
        """Return one line for people."""
        tally = self.tally
        if self.dry_run:
            return f"{tally.rows} rows read, {tally.refused} of them not usable; nothing was sent"
        told = f"{tally.rows} rows: {tally.created} created, {tally.updated} updated, {tally.unchanged} unchanged"
        return f"{told}, {tally.refused} refused, {self.deleted} deleted"


def import_documents(
    service: ServiceClient,
    options: ImportOptions,
    home: Path,
    console: Console,
    confirm: Callable[[int], bool] = lambda _count: True,
) -> ImportSummary:
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
    summary = ImportSummary(source=str(options.source), dry_run=options.dry_run, tally=ImportTally())
    session = Session(service, options, summary, home=home, console=console)
    checkpoint = session.open_checkpoint(
        source.files,
        source=str(options.source.resolve()),
        strings=options.strings,
        numbers=list(options.numbers),
    )
    send = (lambda _batch: (Counter(), [])) if options.dry_run else DocumentDelivery(service, session.retry).send
    run = Import(source, columns, send, session.refuse, checkpoint, strict=options.strict)
    session.carry_out(source, columns, run.tally.rows, run.run)
    for name, cell in source.almost_numbers.items() if isinstance(source, Delimited) else ():
        session.say(f"column {name} stays text, for {cell} would be kept otherwise; --numbers {name} makes numbers")
    if options.delete_missing:
        summary.deleted = _delete_missing(service, session.retry, run, confirm)
    return summary


def _delete_missing(service: ServiceClient, retry: RetryPolicy, run: Import, confirm: Callable[[int], bool]) -> int:
    if run.tally.refused or not run.ids:
        why = f"{run.tally.refused} rows were refused" if run.tally.refused else "the source holds no document"
        raise InvalidRequest(f"{why}, so nothing is deleted: what looks missing may only be unreadable")
    missing = [one["id"] for one in stored_documents(service, retry) if one["id"] not in run.ids]
    if not missing or not confirm(len(missing)):
        return 0
    for start in range(0, len(missing), MAX_DOCUMENTS):
        chunk = missing[start : start + MAX_DOCUMENTS]
        retry.ask(partial(service.delete, "/v1/documents", chunk))
    return len(missing)
