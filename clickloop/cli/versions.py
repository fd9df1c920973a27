"""The commands that read, name and move versions, and read and name training runs and experiments."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer
from rich.table import Table

from clickloop.cli.terminal import DEFAULT_URL, AsJson, CollectionName, Url, out, print_json
from clickloop.remote.service import Remote

versions = typer.Typer(no_args_is_help=True, help="Read, name, promote and roll back versions.")
runs = typer.Typer(no_args_is_help=True, help="Read and name training runs.")
experiment = typer.Typer(no_args_is_help=True, help="Read and stop experiments.")


@versions.command("list")
def list_versions(collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List versions, newest first."""
    found = Remote(url, collection).get("/v1/versions")
    if as_json:
        print_json(found)
        return
    names = {version["id"]: version["name"] for version in found["versions"]}
    champion = found["champion"]
    table = Table("version", "name", "status", "parent", "why", title=f"champion {names.get(champion, champion)}")
    for version in found["versions"]:
        parent = names.get(version["parent"], version["parent"])
        table.add_row(version["id"], version["name"], version["status"], parent, version["reason"])
    out.print(table)


@versions.command("promote")
def promote_version(
    version: str, reason: str = "by hand", collection: CollectionName = "default", url: Url = DEFAULT_URL
) -> None:
    """Make a version, known by its id or name, the champion."""
    move = Remote(url, collection).post(f"/v1/versions/{quote(version, safe='')}/promote", {"reason": reason})
    out.print(f"champion {move['version']}, before {move['previous']}")


@versions.command("show")
def show_version(
    version: str, collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Show a version, known by its id or name, and every status that it had."""
    found = Remote(url, collection).get(f"/v1/versions/{quote(version, safe='')}")
    if as_json:
        print_json(found)
        return
    table = Table("when", "status", "by", "why", title=f"{found['id']}, called {found['name']}")
    for one in found["history"]:
        table.add_row(one["at"], one["status"], one["actor"], one["reason"])
    out.print(table)


@versions.command("name")
def name_version(version: str, name: str, collection: CollectionName = "default", url: Url = DEFAULT_URL) -> None:
    """Give a version, known by its id or present name, another name."""
    named = Remote(url, collection).patch(f"/v1/versions/{quote(version, safe='')}", {"name": name})
    out.print(f"{named['id']} is called {named['name']}", markup=False)


@versions.command("rollback")
def roll_back(
    from_: Annotated[
        str, typer.Option("--from", help="The champion as you know it; without it only a promotion is undone.")
    ] = "",
    to: Annotated[str, typer.Option(help="Where that leads as you know it.")] = "",
    reason: str = "by hand",
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
) -> None:
    """Go back to the version that the champion replaced, and wait until every replica serves it."""
    remote = Remote(url, collection)
    move = remote.post("/v1/versions/rollback", {"reason": reason, "from": from_, "to": to})
    replicas, waited_s = remote.await_champion(move["version"])
    served = f"is served by every replica ({replicas}) after {waited_s:.2f} s"
    told = served if replicas else "is what replicas will serve; none reports that it serves now"
    out.print(f"champion {move['version']} {told}; before {move['previous']}", soft_wrap=True)


@runs.command("list")
def list_runs(collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List training runs, newest first."""
    found = Remote(url, collection).get("/v1/training-runs")
    if as_json:
        print_json(found)
        return
    table = Table("run", "name", "state", "step", "asked for by", "version")
    for run in found:
        table.add_row(run["id"], run["name"], run["state"], run["step"], run["actor"], run["version"])
    out.print(table)


@runs.command("name")
def name_run(run: str, name: str, collection: CollectionName = "default", url: Url = DEFAULT_URL) -> None:
    """Give a training run, known by its id or present name, another name."""
    named = Remote(url, collection).patch(f"/v1/training-runs/{quote(run, safe='')}", {"name": name})
    out.print(f"{named['id']} is called {named['name']}", markup=False)


@experiment.command("list")
def list_experiments(collection: CollectionName = "default", url: Url = DEFAULT_URL) -> None:
    """List experiments, newest first."""
    print_json(Remote(url, collection).get("/v1/experiments"))


@experiment.command("show")
def show_experiment(name: str, collection: CollectionName = "default", url: Url = DEFAULT_URL) -> None:
    """Show an experiment's scorecard and verdict."""
    print_json(Remote(url, collection).get(f"/v1/experiments/{name}"))


@experiment.command("stop")
def stop_experiment(name: str, collection: CollectionName = "default", url: Url = DEFAULT_URL) -> None:
    """Stop a running experiment."""
    print_json(Remote(url, collection).post(f"/v1/experiments/{name}/stop", {}))
