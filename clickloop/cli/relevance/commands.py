"""The commands that show the owner's relevance settings, lead them back, and take files of synonyms."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.markup import escape
from rich.table import Table

from clickloop.cli.terminal import DEFAULT_URL, AsJson, CollectionName, Url, out, show
from foundation.http_client import ServiceClient

app = typer.Typer(no_args_is_help=True, help="Synonyms, rules and terms of the score, and who changed them.")

Note = Annotated[str, typer.Option(help="Why; kept with who changed it.")]
_AT_ONCE = 500


@app.command("show")
def show_settings(
    revision: Annotated[int, typer.Option(min=0, help="An earlier revision; 0 for what serves.")] = 0,
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show the settings that serve, or those of a revision."""
    path = f"/v1/relevance/revisions/{revision}" if revision else "/v1/relevance"
    told = ServiceClient(url, collection).get(path)
    table = Table("what", "name", "says")
    for kind in ("synonyms", "rules", "terms", "features"):
        for name, one in told[kind].items():
            table.add_row(kind, escape(name), escape(_in_words(one)))
    show(told, as_json, table)


@app.command("history")
def history(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List who changed the settings, when and why, the last change first."""
    told = ServiceClient(url, collection).get(f"/v1/relevance/revisions?limit={limit}")
    table = Table("revision", "", "at", "by", "why")
    for one in told["revisions"]:
        state = "serves" if one["revision"] == told["serves"] else "" if one["serves"] else "draft"
        table.add_row(str(one["revision"]), state, one["at"][:16], escape(one["actor"]), escape(one["note"]))
    show(told, as_json, table)


@app.command("serve")
def serve_revision(
    revision: int, note: Note = "", collection: CollectionName = "default", url: Url = DEFAULT_URL
) -> None:
    """Let a draft or an earlier revision serve."""
    told = ServiceClient(url, collection).post(f"/v1/relevance/revisions/{revision}/serve", {"note": note})
    out.print(f"revision {told['revision']} serves, which says what revision {revision} does")


@app.command("synonyms")
def take_synonyms(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    note: Note = "",
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
) -> None:
    """Add the synonyms of a file, a rule a line: `tv, television` both ways, `lcd => screen, display` one way.

    Each line is a setting named after its content, so the same file again changes nothing.
    """
    from serving.index.lexical.synonyms import read_synonyms

    synonyms = read_synonyms(file)
    changes = {_name(asked, others): {"words": [asked], "to": list(others)} for asked, others in synonyms.rules}
    client, names = ServiceClient(url, collection), list(changes)
    for start in range(0, len(names), _AT_ONCE):
        some = {name: changes[name] for name in names[start : start + _AT_ONCE]}
        client.send("PUT", f"/v1/synonyms?note={quote(note or file.name)}", json=some)
    out.print(f"{len(changes)} words and phrases of {escape(str(file))} have synonyms")


def _name(asked: str, others: tuple[str, ...]) -> str:
    digest = hashlib.sha256("\n".join((asked, *others)).encode()).hexdigest()[:12]
    return f"{asked[:80]} {digest}"


def _in_words(one: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in one.items())
