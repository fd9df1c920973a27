"""What `clickloop replay --from` does, from its options to its summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console

from clickloop.cli.history.columns import LogColumns, parse_columns
from clickloop.cli.history.delivery import LogDelivery
from clickloop.cli.history.entries import EntryReader, Outgoing
from clickloop.cli.history.reader import LogReader
from clickloop.cli.history.run import LogRun, LogTally
from clickloop.cli.importing.checkpoint import Checkpoint
from clickloop.cli.importing.delivery import RefusedDocument
from clickloop.cli.importing.formats.delimited import read_delimiter
from clickloop.cli.importing.formats.rows import Row, Source, TableForm
from clickloop.cli.importing.formats.source import KNOWN_FILES, open_source
from clickloop.cli.importing.progress import say, show_progress
from foundation.clock import SystemClock
from foundation.errors import InvalidRequest, NotFound
from foundation.http_client import ServiceClient
from foundation.retries import RetryPolicy

_TOLD_TO_PROGRAMS = 100


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What a person asks of the replay of a log.

    Attributes:
        files: Read one after the other, as one log.
        columns: The map of columns, as it was written.
        zone: The IANA name of the zone of moments that name none; "" refuses them.
        between: What separates the ids of a cell of results; "" is white space.
        restart: Forget how far an interrupted replay of the same files came.
        dry_run: Read and tell, send nothing.
        encoding: Of CSV files; "" is UTF-8, or UTF-16 where a file begins so.
        delimiter: Of CSV files; "" is read off each file.
    """

    files: Sequence[Path]
    columns: Sequence[str] = ()
    zone: str = ""
    between: str = ""
    restart: bool = False
    dry_run: bool = False
    encoding: str = ""
    delimiter: str = ""


@dataclass(slots=True)
class LogSummary:
    """How a replay ended.

    Attributes:
        tally: What became of the rows, those of an interrupted run before included.
        resumed_at: Rows that were settled by an interrupted run.
        refusals: The first hundred rows or lists of this run that were not taken.
        unseen: Columns of the map that no row had.
    """

    files: list[str]
    dry_run: bool
    tally: LogTally
    resumed_at: int = 0
    refusals: list[RefusedDocument] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return asdict(self.tally) | {
            "files": self.files,
            "dry_run": self.dry_run,
            "resumed_at": self.resumed_at,
            "unseen_columns": self.unseen,
            "refusals": [one.to_json() for one in self.refusals],
        }

    def __str__(self) -> str:
        """Return one line for people, and one for every reason to ignore rows."""
        tally = self.tally
        told = f"{tally.searches} searches, {tally.events} events, {tally.refused} refused"
        ending = "; nothing was sent" if self.dry_run else ""
        reasons = [f"{count} rows ignored: {reason}" for reason, count in sorted(tally.ignored.items())]
        return "\n".join([f"{tally.rows} rows: {told}{ending}", *reasons])


class _Log:
    """Several files read as one. See `Source`."""

    columns: Sequence[str] = ()

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self.files = [file for source in sources for file in source.files]
        self.total_bytes = sum(source.total_bytes for source in sources)

    @property
    def done_bytes(self) -> int:
        return sum(source.done_bytes for source in self._sources)

    def __iter__(self) -> Iterator[Row]:
        return (row for source in self._sources for row in source)


def replay_log(remote: ServiceClient, options: LogOptions, home: Path, console: Console) -> LogSummary:
    """Send the searches and events of a log to a collection, and tell what became of them.

    A replay that was interrupted goes on where it ended, as long as files, options, service and
    collection are the same. Every row that is not taken is told on `console` with file, line and column.

    Args:
        home: Where the place of an interrupted replay is kept.

    Raises:
        InvalidRequest: A file cannot be read as asked.
        NotFound: A file is not there.
        NotReady: No service answers.
    """
    columns = parse_columns(options.columns)
    log = _Log(_open_all(options, columns))
    summary = LogSummary([str(file) for file in options.files], options.dry_run, LogTally())

    def tell(refusal: RefusedDocument) -> None:
        say(console, str(refusal))
        if len(summary.refusals) < _TOLD_TO_PROGRAMS:
            summary.refusals.append(refusal)

    reading = EntryReader(columns, remote.collection, SystemClock().now(), _zone(options.zone), options.between)
    reader = LogReader(reading)
    if options.dry_run:
        run = LogRun(reader, _send_nothing, tell)
    else:
        remote.get("/healthz")
        retry = RetryPolicy(lambda reason, wait_s: say(console, f"waiting {wait_s:.1f} s: {reason}"))
        run = LogRun(reader, LogDelivery(remote, retry, columns).send, tell, _checkpoint(remote, options, home, log))
    summary.resumed_at = run.tally.rows
    if summary.resumed_at:
        say(console, f"going on behind row {summary.resumed_at}, where the last run ended; --restart begins anew")
    with show_progress(console, log) as watch:
        summary.tally = run.run(log, watch)
    summary.unseen = columns.unseen()
    if summary.unseen:
        say(console, f"no row has the column {', '.join(summary.unseen)} that --map names")
    return summary


def _open_all(options: LogOptions, columns: LogColumns) -> list[Source]:
    """Return the files as sources; a column of the map may be in any of them, and in one without a heading."""
    form = TableForm(names=columns.names, encoding=options.encoding, delimiter=read_delimiter(options.delimiter))
    sources = [_open(file, form, columns) for file in options.files]
    if all(source.columns for source in sources):
        together = [column for source in sources for column in source.columns]
        columns.check_map(together, ", ".join(file.name for file in options.files))
    return sources


def _open(file: Path, form: TableForm, columns: LogColumns) -> Source:
    if file.is_dir():
        raise NotFound(f"{file} is a directory; name the files of the log")
    source = open_source(file, form, KNOWN_FILES)
    if source.columns:
        columns.check(source.columns, file.name)
    return source


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise InvalidRequest(f"--zone {name!r} is no zone; write it as Europe/Berlin or UTC") from problem


def _checkpoint(remote: ServiceClient, options: LogOptions, home: Path, log: _Log) -> Checkpoint[LogTally]:
    purpose: dict[str, object] = {
        "log": [str(file.resolve()) for file in options.files],
        "service": remote.url,
        "collection": remote.collection,
        "columns": list(options.columns),
        "zone": options.zone,
        "between": options.between,
        "form": [options.encoding, options.delimiter],
    }
    checkpoint = Checkpoint(home / "imports", purpose, log.files, LogTally())
    if options.restart:
        checkpoint.clear()
    return checkpoint


def _send_nothing(_path: str, _batch: Sequence[Outgoing]) -> list[RefusedDocument]:
    return []
