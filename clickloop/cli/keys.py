"""The commands that make, list and remove API keys; they work on the database, not on a running service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table

from clickloop.cli.terminal import AsJson, CollectionName, err, out, show
from foundation.settings import Settings

if TYPE_CHECKING:
    from foundation.access.keys import Keys

app = typer.Typer(no_args_is_help=True, help="Make, list and remove API keys.")


@app.command("add")
def add_key(
    name: str,
    collection: CollectionName = "default",
    role: Annotated[
        Literal["app", "admin"], typer.Option(help="app: search and send events; admin: everything.")
    ] = "app",
) -> None:
    """Make a key and print it, this once: only its digest is kept."""
    from foundation.access.actors import command_line_actor

    typer.echo(_keys().add(name, collection, role, command_line_actor()))
    err.print(f"the key {escape(name)} opens collection {collection} as {role}; it cannot be shown again")


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the keys of every collection by name."""
    from dataclasses import asdict

    found = _keys().list()
    table = Table("collection", "name", "role", "made", "by")
    for key in found:
        table.add_row(
            key.collection, escape(key.name), key.role, f"{key.created_at:%Y-%m-%d %H:%M}", escape(key.made_by)
        )
    show([asdict(key) for key in found], as_json, table)


@app.command("remove")
def remove_key(name: str, collection: CollectionName = "default") -> None:
    """Remove a key; running services refuse it within two seconds."""
    from foundation.access.actors import command_line_actor

    _keys().remove(name, collection, command_line_actor())
    out.print(f"removed {escape(name)} of collection {collection}")


def _keys() -> Keys:
    from foundation.access.keys import Keys
    from foundation.clock import SystemClock
    from foundation.database import schema
    from foundation.database.engine import make_engine

    settings = Settings()
    engine = make_engine(settings.resolved_database_url())
    schema.prepare(engine, settings.migrate)
    return Keys(engine, SystemClock())
