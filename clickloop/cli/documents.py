"""The commands about documents: bring them in, write them out, build their index."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from threadpoolctl import threadpool_limits

from clickloop.cli.terminal import DEFAULT_URL, AsJson, CollectionName, Delimiter, Encoding, Url, err, show
from foundation.http_client import ServiceClient
from foundation.settings import Settings

app = typer.Typer()


@app.command()
def index(  # noqa: PLR0913, PLR0917  Typer makes each argument an option; nobody calls it otherwise
    source: Annotated[Path | None, typer.Argument(help="The same as --from.")] = None,
    from_: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="A BEIR folder; .csv, .tsv, .jsonl, .ndjson or .json, also .gz; .parquet; a directory of HTML or "
            "Markdown.",
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", help="Columns that make a document: id=sku,title=name,text=short+long. Others: fields."),
    ] = None,
    strings: Annotated[bool, typer.Option("--strings", help="Cells of CSV stay text.")] = False,
    numbers: Annotated[
        list[str] | None,
        typer.Option(help="Columns of CSV that are numbers however they are written: price,weight."),
    ] = None,
    encoding: Encoding = "",
    delimiter: Delimiter = "",
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew after an interrupted import.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="End at the first row that is not taken.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and report, send nothing.")] = False,
    delete_missing: Annotated[
        bool, typer.Option("--delete-missing", help="Then delete the documents that the source does not hold.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Send documents to the running service; exit status 1 when any was refused."""
    from clickloop.cli.importing.command import ImportOptions, import_documents

    if (source is None) == (from_ is None):
        raise typer.BadParameter("name one source: clickloop index --from SOURCE")
    options = ImportOptions(
        source=from_ or source or Path(),
        columns=columns or (),
        strings=strings,
        numbers=numbers or (),
        encoding=encoding,
        delimiter=delimiter,
        restart=restart,
        strict=strict,
        dry_run=dry_run,
        delete_missing=delete_missing,
    )
    asked = f"delete {{}} documents of collection {collection} that the source does not hold?"

    def confirm(count: int) -> bool:
        return yes or typer.confirm(asked.format(f"{count:,}"), err=True)

    with closing(ServiceClient(url, collection)) as service:
        summary = import_documents(service, options, Settings().home, err, confirm)
    show(summary.to_json(), as_json, str(summary))
    if summary.tally.refused:
        raise typer.Exit(1)


@app.command()
def export(
    to: Annotated[Path, typer.Option("--to", help="A .jsonl file, also .gz, or a folder for BEIR's corpus.jsonl.")],
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Write the documents of the running service to a file."""
    from clickloop.cli.exporting import export_documents, stored_documents
    from foundation.retries import RetryPolicy

    with err.status("exporting"), closing(ServiceClient(url, collection)) as service:
        file, count = export_documents(stored_documents(service, RetryPolicy()), to)
    told = f"{count} documents of collection {collection} are in {file}"
    show({"file": str(file), "documents": count}, as_json, told)


@app.command()
def build(
    collection: CollectionName = "default",
    encoder: Annotated[str, typer.Option(hidden=True, help="Name of an encoder that a version brings.")] = "",
    form: Annotated[str, typer.Option(hidden=True, help="Digest of its form.")] = "",
    as_json: AsJson = False,
) -> None:
    """Build an index snapshot of all documents; running services on this machine take it over."""
    from clickloop.container import Container

    threadpool_limits(1)
    built = Container(Settings()).build(collection, encoder, form)
    show({"snapshot": built.id, "documents": built.documents, "change": built.change}, as_json)
