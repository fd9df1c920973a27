"""The commands of the gold set: draw queries, judge them here or in a file, read and write qrels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.prompt import Prompt
from rich.table import Table

from clickloop.cli.gold.files import read_judgments, write_sheet, write_trec
from clickloop.cli.terminal import DEFAULT_URL, AsJson, CollectionName, Url, out, show
from foundation.http_client import ServiceClient

app = typer.Typer(
    no_args_is_help=True, help="Judge queries that nothing is learned from; every candidate answers them."
)

Count = Annotated[int, typer.Option(min=1, max=50, help="Queries to draw.")]
Depth = Annotated[int, typer.Option(min=1, max=20, help="Best documents by score, by words and by meaning.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the draw.")]

_AT_ONCE = 1000
_GRADES = ("0", "1", "2", "3")


@app.command("sample")
def sample_queries(
    to: Annotated[Path, typer.Option(help="CSV file to write, with a column `grade` to fill in.")],
    count: Count = 20,
    depth: Depth = 5,
    seed: Seed = 0,
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
) -> None:
    """Draw queries by how often they are asked and how uncertain their answer is, and write a sheet to judge."""
    drawn = _draw(ServiceClient(url, collection), count, depth, seed)
    lines = write_sheet(drawn, to)
    out.print(f"{to}: {len(drawn)} queries, {lines} documents to grade 0 to 3; then: clickloop gold add {to}")


@app.command("judge")
def judge_queries(
    count: Count = 10,
    depth: Depth = 5,
    seed: Seed = 0,
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
) -> None:
    """Draw queries and judge them here: 0 does not answer, 3 is just what was looked for, empty leaves it out.

    Each query is sent when its documents are judged, so that Ctrl-C loses no more than one.
    """
    service = ServiceClient(url, collection)
    drawn = _draw(service, count, depth, seed)
    for number, one in enumerate(drawn, start=1):
        out.rule(escape(f"{number} of {len(drawn)}: {one['query']}, asked {one['searches']} times"))
        if judged := [*_ask(one)]:
            service.send("PUT", "/v1/gold", json=judged)
    out.print(f"{len(drawn)} queries judged")


@app.command("add")
def add_judgments(
    source: Annotated[Path, typer.Argument(help="A sheet with its grades, or a folder of queries.tsv and qrels.txt.")],
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
) -> None:
    """Add judgments from a file."""
    judged = read_judgments(source)
    service = ServiceClient(url, collection)
    for start in range(0, len(judged), _AT_ONCE):
        service.send("PUT", "/v1/gold", json=judged[start : start + _AT_ONCE])
    out.print(f"{len(judged)} judgments of {len({one['query'] for one in judged})} queries")


@app.command("list")
def list_judgments(collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List the judgments that stand."""
    found = list(_all(ServiceClient(url, collection)))
    table = Table("query", "document", "grade", "by", "when")
    for one in found:
        table.add_row(one["query"], one["document_id"], str(one["grade"]), one["actor"], one["judged_at"])
    show({"judgments": found}, as_json, table)


@app.command("export")
def export_judgments(
    folder: Annotated[Path, typer.Argument(help="Folder for queries.tsv and qrels.txt.")],
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
) -> None:
    """Write the judgments as TREC writes them."""
    queries = write_trec(_all(ServiceClient(url, collection)), folder)
    out.print(f"{folder}: {queries} queries")


@app.command("remove")
def remove_queries(queries: list[str], collection: CollectionName = "default", url: Url = DEFAULT_URL) -> None:
    """Take queries out of the set."""
    answer = ServiceClient(url, collection).delete("/v1/gold", {"queries": queries})
    out.print(f"{answer['judgments']} judgments taken out")


def _draw(service: ServiceClient, count: int, depth: int, seed: int) -> list[dict[str, Any]]:
    drawn: list[dict[str, Any]] = service.get(f"/v1/gold/sample?count={count}&depth={depth}&seed={seed}")["queries"]
    if not drawn:
        out.print("no query was asked by enough people that is not judged yet")
        raise typer.Exit(1)
    return drawn


def _ask(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for document in one["documents"]:
        out.print(f"{document['title'] or document['id']}  {document['snippet']}", markup=False)
        grade = Prompt.ask("grade", choices=[*_GRADES, ""], default="", show_default=False, console=out)
        if grade:
            yield {"query": one["query"], "document_id": document["id"], "grade": int(grade)}


def _all(service: ServiceClient) -> Iterator[dict[str, Any]]:
    offset, total = 0, 1
    while offset < total:
        page = service.get(f"/v1/gold?offset={offset}&limit={_AT_ONCE}")
        yield from page["judgments"]
        offset, total = offset + _AT_ONCE, page["total"]
