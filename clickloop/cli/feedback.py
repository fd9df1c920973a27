"""The commands about feedback: take in old logs, count again what is stored, write out what it says."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clickloop.cli.terminal import DEFAULT_URL, AsJson, CollectionName, Delimiter, Encoding, Url, err, print_json, show
from foundation.errors import NotFound
from foundation.http_client import ServiceClient
from foundation.settings import Settings

if TYPE_CHECKING:
    from clickloop.cli.history.command import LogOptions
    from clickloop.container import Container

app = typer.Typer()


@app.command()
def replay(  # noqa: PLR0913, PLR0917  Typer makes each argument an option; nobody calls it otherwise
    from_: Annotated[
        list[Path] | None,
        typer.Option(
            "--from", help="A log: .csv, .tsv, .jsonl, .ndjson or .json, also .gz; .parquet. May be repeated."
        ),
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="Columns of the log: query=q,user=session,at=time.")
    ] = None,
    zone: Annotated[str, typer.Option(help="Time zone of the log's times that name none, such as Europe/Berlin.")] = "",
    between: Annotated[str, typer.Option(help="What separates ids in a cell of results; else white space.")] = "",
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew after an interrupted replay.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and report, send nothing.")] = False,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"], help="Count the weeks from this moment on again, in UTC."
        ),
    ] = None,
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Send a log to the running service; without --from, count a collection's stored feedback again."""
    from clickloop.cli.history.command import LogOptions

    if from_ and since:
        raise typer.BadParameter("--since counts again what is stored; --from takes a log in as a whole")
    if from_:
        options = LogOptions(
            files=from_,
            columns=columns or (),
            zone=zone,
            between=between,
            encoding=encoding,
            delimiter=delimiter,
            restart=restart,
            dry_run=dry_run,
        )
        _replay_log(options, collection, url, as_json)
    elif columns or zone or between or restart or dry_run or encoding or delimiter:
        raise typer.BadParameter("name the log: clickloop replay --from FILE")
    else:
        _replay_stored(collection, since, as_json)


@app.command()
def pairs(
    to: Annotated[Path, typer.Option("--to", help="A .jsonl, also .gz, .csv or .parquet file.")],
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Write queries, documents and how relevant feedback makes them to a file."""
    from clickloop.cli.pairs import export_pairs, labelled_pairs
    from foundation.retries import RetryPolicy

    with err.status("exporting"), closing(ServiceClient(url, collection)) as service:
        count = export_pairs(labelled_pairs(service, RetryPolicy()), to)
    told = f"{count} pairs of collection {collection} are in {to}"
    show({"file": str(to), "pairs": count}, as_json, told)


@app.command("dead-letters")
def look_at_dead_letters(
    send_again: Annotated[bool, typer.Option("--send-again", help="Put them back into the log.")] = False,
    ids: Annotated[list[str] | None, typer.Option("--id", help="Send only this one again. May be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many to list, the latest.")] = 20,
    collection: CollectionName = "default",
    as_json: AsJson = False,
) -> None:
    """List records that the collector could not read or store, or put them back into the log."""
    if send_again:
        _resend_dead_letters(ids or (), collection, as_json)
    elif ids:
        raise typer.BadParameter("--id names what to send: clickloop dead-letters --send-again --id ID")
    else:
        _list_dead_letters(limit, collection, as_json)


def _replay_log(options: LogOptions, collection: str, url: str, as_json: bool) -> None:
    from clickloop.cli.history.command import replay_log

    with closing(ServiceClient(url, collection)) as service:
        summary = replay_log(service, options, Settings().home, err)
    show(summary.to_json(), as_json, str(summary))
    if summary.tally.refused:
        raise typer.Exit(1)


def _list_dead_letters(limit: int, collection: str, as_json: bool) -> None:
    from dataclasses import asdict

    from clickloop.container import Container
    from collector.dead_letters.store import list_latest

    letters = list_latest(Container(Settings()).engine, collection, limit)
    if as_json:
        print_json([asdict(letter) for letter in letters])
        return
    for letter in letters:
        typer.echo(f"{letter.id}  {letter.at:%Y-%m-%d %H:%M}\n  {letter.reason}\n  {letter.beginning}")
    if not letters:
        typer.echo(f"collection {collection} has no dead letters")


def _resend_dead_letters(ids: Sequence[str], collection: str, as_json: bool) -> None:
    from dataclasses import asdict

    from clickloop.container import Container
    from collector.dead_letters.store import resend

    container = Container(Settings())
    with closing(container.log) as log:
        resent = resend(container.engine, log, collection, ids)
    _note(container, collection, "dead letters sent again", asdict(resent))
    if as_json:
        print_json({"collection": collection} | asdict(resent))
        return
    typer.echo(f"{resent.sent} dead letters are in the log again")
    if resent.unreadable:
        typer.echo(f"{resent.unreadable} stay, for this release cannot read them either")


def _replay_stored(collection: str, since: datetime | None, as_json: bool) -> None:
    from datetime import UTC

    from clickloop.container import Container
    from collector.join.evidence import evidence_digest
    from collector.join.replay import replay as rebuild
    from collector.join.retention_watermark import collections_with_evidence
    from foundation.database.engine import reading

    container = Container(Settings())
    with reading(container.engine) as connection:
        fed = collections_with_evidence(connection)
    if collection not in fed:
        there = f"; there are {', '.join(fed)}" if fed else ", nor for any other"
        raise NotFound(f"feedback never came for collection {collection!r}{there}")
    start = since if since is None or since.tzinfo else since.replace(tzinfo=UTC)
    before = evidence_digest(container.engine, collection)
    count = rebuild(container.engine, collection, container.settings, start)
    after = evidence_digest(container.engine, collection)
    since_when = start.isoformat() if start else ""
    _note(container, collection, "evidence counted again", {"impressions": count, "since": since_when})
    change = "as before" if before == after else f"before it was {before}"
    digests = {"digest_before": before, "digest_after": after}
    told = f"{count} impressions folded; evidence digest {after}, {change}"
    show({"collection": collection, "impressions": count} | digests, as_json, told)


def _note(container: Container, collection: str, action: str, detail: dict[str, Any]) -> None:
    """Record what was done, and by whom."""
    from foundation.access.actions import record_action
    from foundation.access.actors import command_line_actor
    from foundation.database.engine import transaction

    with transaction(container.engine) as connection:
        at, actor = container.clock.now(), command_line_actor()
        record_action(connection, collection, action=action, subject=collection, at=at, actor=actor, detail=detail)
