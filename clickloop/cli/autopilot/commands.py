"""The commands of the autopilot."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from clickloop.cli.terminal import DEFAULT_URL, AsJson, CollectionName, Url, out, show
from foundation.http_client import ServiceClient

app = typer.Typer(no_args_is_help=True, help="Ask the autopilot what it will do, pause it, let it go on.")

Reason = Annotated[str, typer.Option(help="Why; kept with who said so.")]


@app.command("explain")
def explain(collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Tell what the autopilot does, what it will do next and when, why not now, and what is missing."""
    _show(ServiceClient(url, collection).get("/v1/autopilot"), as_json)


@app.command("pause")
def pause(
    reason: Reason = "by hand", collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Pause: no run is requested on schedule, and no candidate is shown or promoted. Experiments under way go on."""
    _show(ServiceClient(url, collection).post("/v1/autopilot/pause", {"reason": reason}), as_json)


@app.command("resume")
def resume(
    reason: Reason = "by hand", collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Go on after a pause."""
    _show(ServiceClient(url, collection).post("/v1/autopilot/resume", {"reason": reason}), as_json)


def _show(outlook: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show(outlook, as_json)
        return
    for name in ("doing", "waits", "missing"):
        for sentence in outlook[name]:
            out.print(f"{name}: {sentence}", markup=False, soft_wrap=True)
    for run in outlook["upcoming"]:
        out.print(f"next: {run['why']}" + (f", {run['at']}" if run["at"] else ""), markup=False, soft_wrap=True)
