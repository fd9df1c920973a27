"""The commands that read, name and move versions, and read and name training runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer
from rich.markup import escape
from rich.table import Table

from clickloop.cli.terminal import DEFAULT_URL, AsJson, CollectionName, Url, err, out, show
from foundation.clock import monotonic_s
from foundation.errors import NotReady
from foundation.http_client import ServiceClient
from foundation.settings import Settings

_LOOK_EVERY_S = 0.02
_MARKS = {"named": "[red]cause[/red]", "cleared": "[green]no cause[/green]", "unknown": "[yellow]unknown[/yellow]"}

versions = typer.Typer(no_args_is_help=True, help="Read, name, promote, roll back, export and import versions.")
diagnosing = typer.Typer()
runs = typer.Typer(no_args_is_help=True, help="Read and name training runs.")


@versions.command("list")
def list_versions(collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List versions, newest first."""
    found = ServiceClient(url, collection).get("/v1/versions")
    names = {version["id"]: version["name"] for version in found["versions"]}
    champion = found["champion"]
    table = Table("version", "name", "status", "parent", "why", title=f"champion {names.get(champion, champion)}")
    for version in found["versions"]:
        parent = names.get(version["parent"], version["parent"])
        table.add_row(version["id"], version["name"], version["status"], parent, version["reason"])
    show(found, as_json, table)


@versions.command("promote")
def promote_version(
    version: str, reason: str = "by hand", collection: CollectionName = "default", url: Url = DEFAULT_URL
) -> None:
    """Make a version, known by its id or name, the champion."""
    move = ServiceClient(url, collection).post(f"/v1/versions/{quote(version, safe='')}/promote", {"reason": reason})
    out.print(f"champion {move['version']}, before {move['previous']}")


@versions.command("show")
def show_version(
    version: str, collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Show a version, known by its id or name, and every status that it had."""
    found = ServiceClient(url, collection).get(f"/v1/versions/{quote(version, safe='')}")
    table = Table("when", "status", "by", "why", title=f"{found['id']}, called {found['name']}")
    for one in found["history"]:
        table.add_row(one["at"], one["status"], one["actor"], one["reason"])
    show(found, as_json, table)


@versions.command("name")
def name_version(version: str, name: str, collection: CollectionName = "default", url: Url = DEFAULT_URL) -> None:
    """Give a version, known by its id or present name, another name."""
    named = ServiceClient(url, collection).patch(f"/v1/versions/{quote(version, safe='')}", {"name": name})
    out.print(f"{named['id']} is called {named['name']}", markup=False)


@versions.command("rollback")
def roll_back(
    from_: Annotated[
        str, typer.Option("--from", help="The champion that you expect; without it only a promotion is undone.")
    ] = "",
    to: Annotated[str, typer.Option(help="The version that you expect to return to.")] = "",
    reason: str = "by hand",
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
) -> None:
    """Go back to the version that the champion replaced, and wait until every replica serves it."""
    remote = ServiceClient(url, collection)
    move = remote.post("/v1/versions/rollback", {"reason": reason, "from": from_, "to": to})
    replicas, waited_s = await_champion(remote, move["version"])
    served = f"is served by every replica ({replicas}) after {waited_s:.2f} s"
    told = served if replicas else "is what replicas will serve; none reports that it serves now"
    out.print(f"champion {move['version']} {told}; before {move['previous']}", soft_wrap=True)


@versions.command("export")
def export_version(
    version: Annotated[str, typer.Argument(help="Its id or name; champion stands for the one that serves.")],
    folder: Annotated[Path, typer.Argument(help="Where to; made when it is not there.")],
    collection: CollectionName = "default",
    as_json: AsJson = False,
) -> None:
    """Write a version as a folder of sentence-transformers, with ONNX networks and a model card."""
    from clickloop.container import Container
    from clickloop.interchange import export

    with err.status("exporting"):
        found, agreement = export(Container(Settings()), collection, version, folder)
    told = {"version": found.id, "folder": str(folder), "cosine": agreement.exact, "cosine_serving": agreement.serving}
    words = (
        f"{found.id} is in {folder}; its queries agree with the version by a cosine of {agreement.exact:.4f}, and of "
        f"{agreement.serving:.4f} with the network that serves"
    )
    show(told, as_json, words)


@versions.command("import")
def import_version(
    folder: Annotated[Path, typer.Argument(help="A folder of sentence-transformers.")],
    collection: CollectionName = "default",
    as_json: AsJson = False,
) -> None:
    """Make a folder of sentence-transformers a candidate version."""
    from clickloop.container import Container
    from clickloop.interchange import take_in

    with err.status("importing"):
        found = take_in(Container(Settings()), collection, folder)
    told = {"version": found.id, "name": found.name, "status": found.status, "encoder": found.manifest.encoder}
    show(told, as_json, f"{found.id}, called {found.name}, is a candidate; promote it, or prove it by an experiment")


def await_champion(remote: ServiceClient, version: str, timeout_s: float = 30.0) -> tuple[int, float]:
    """Wait until every replica serves `version`; return how many do, 0 where none reports, and the seconds."""
    started_s = monotonic_s()
    while monotonic_s() - started_s < timeout_s:
        replicas = remote.get("/v1/versions")["replicas"]
        if all(replica["version"] == version for replica in replicas):
            return len(replicas), monotonic_s() - started_s
        time.sleep(_LOOK_EVERY_S)
    raise NotReady(f"not every replica serves {version} after {timeout_s:.0f} s: {replicas}")


@diagnosing.command("diagnose")
def diagnose_version(
    version: str, collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Say why a version, known by its id or name, gained in the gate and not with its users."""
    found = ServiceClient(url, collection).get(f"/v1/versions/{quote(version, safe='')}/diagnosis")
    table = Table("cause", "", "what was found", "next step", title=f"version {found['version']}")
    for one in found["findings"]:
        told = (escape(one["sentence"]), escape(one["next_step"]))
        table.add_row(one["cause"].replace("_", " "), _MARKS[one["state"]], *told)
    show(found, as_json, table)
    if not as_json:
        out.print(found["sentence"], markup=False, highlight=False)


@runs.command("list")
def list_runs(collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List training runs, newest first."""
    found = ServiceClient(url, collection).get("/v1/training-runs")
    table = Table("run", "name", "state", "step", "asked for by", "version")
    for run in found:
        table.add_row(run["id"], run["name"], run["state"], run["step"], run["actor"], run["version"])
    show(found, as_json, table)


@runs.command("name")
def name_run(run: str, name: str, collection: CollectionName = "default", url: Url = DEFAULT_URL) -> None:
    """Give a training run, known by its id or present name, another name."""
    named = ServiceClient(url, collection).patch(f"/v1/training-runs/{quote(run, safe='')}", {"name": name})
    out.print(f"{named['id']} is called {named['name']}", markup=False)
