"""What `clickloop replay --from` does, from its options to its summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console

from clickloop.cli.history.delivery import LogDelivery
from clickloop.cli.history.entries import EntryReader
from clickloop.cli.history.log_columns import LogColumns, parse_columns
from clickloop.cli.history.reader import LogReader
from clickloop.cli.history.run import LogRun, LogTally
from clickloop.cli.importing.formats.delimited import read_delimiter
from clickloop.cli.importing.formats.detection import KNOWN_FILES, open_source
from clickloop.cli.importing.formats.source import Row, Source, TableForm
from clickloop.cli.importing.session import Session, SourceOptions, Summary
from foundation.clock import SystemClock
from foundation.errors import InvalidRequest, NotFound
from foundation.http_client import ServiceClient


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions(SourceOptions):
    """What a person asks of the replay of a log.

    Attributes:
        files: Read one after the other, as one log.
        zone: The IANA name of the time zone of moments that name none; "" refuses them.
        between: What separates the ids of a cell of results; "" is white space.
    """

    files: Sequence[Path]
    zone: str = ""
    between: str = ""


@dataclass(slots=True, kw_only=True)
class LogSummary(Summary[LogTally]):
    """How a replay ended."""

    files: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return Summary.to_json(self) | {"files": self.files}

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


def replay_log(service: ServiceClient, options: LogOptions, home: Path, console: Console) -> LogSummary:
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
    summary = LogSummary(files=[str(file) for file in options.files], dry_run=options.dry_run, tally=LogTally())
    session = Session(service, options, summary, home=home, console=console)
    cells = EntryReader(columns, service.collection, SystemClock().now(), _zone(options.zone), options.between)
    checkpoint = session.open_checkpoint(
        log.files,
        log=[str(file.resolve()) for file in options.files],
        zone=options.zone,
        between=options.between,
    )
    send = (lambda _path, _batch: []) if options.dry_run else LogDelivery(service, session.retry, columns).send
    run = LogRun(LogReader(cells), send, session.refuse, checkpoint)
    session.carry_out(log, columns, run.tally.rows, partial(run.run, log))
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
