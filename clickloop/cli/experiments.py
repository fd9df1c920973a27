"""The commands that plan, run, read and audit experiments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import typer
from rich.table import Column, Table

from clickloop.cli.terminal import DEFAULT_URL, AsJson, CollectionName, Url, err, out, show
from foundation.disk.files import write_whole
from foundation.errors import InvalidRequest
from foundation.http_client import ServiceClient

app = typer.Typer(no_args_is_help=True, help="Plan, run, read and audit experiments.")

ExperimentId = Annotated[str, typer.Argument(metavar="ID", help="The experiment's id.")]


@app.command("list")
def list_experiments(collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List experiments, newest first."""
    found = ServiceClient(url, collection).get("/v1/experiments")
    table = Table(_whole("experiment"), "name", "kind", "state", "run", "arms", "started")
    for one in found["experiments"]:
        plan = one["plan"]
        arms = " / ".join(f"{arm['name']} {arm['version']}".strip() for arm in plan["arms"])
        table.add_row(
            one["id"], plan["name"], plan["kind"], one["state"], str(one["run"]), arms, one["started_at"] or ""
        )
    show(found, as_json, table)


@app.command("create")
def create_experiment(
    plan: Annotated[Path, typer.Argument(help="File with the plan as JSON, - for standard input.", allow_dash=True)],
    start: Annotated[bool, typer.Option("--start", help="Let it take traffic at once.")] = False,
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Make an experiment out of a plan; see POST /v1/experiments for what a plan holds."""
    remote = ServiceClient(url, collection)
    made = remote.post("/v1/experiments", _read_plan(plan))
    if start:
        made = remote.post(f"/v1/experiments/{made['id']}/start", {})
    show(made, as_json, f"experiment {made['id']} is {made['state']}")


@app.command("plan")
def plan_experiment(
    metric: Annotated[list[str] | None, typer.Option(help="Metric; may be given several times.")] = None,
    effect: Annotated[float | None, typer.Option(help="Effect to find, in the metric's own unit.")] = None,
    searches: Annotated[int | None, typer.Option(help="Searches that may take part.")] = None,
    days: Annotated[float | None, typer.Option(help="Days that it may last.")] = None,
    more: Annotated[
        Path | None, typer.Option(help="File with further fields of POST /v1/experiments/plan as JSON.")
    ] = None,
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Tell how many searches and days find which effect on this traffic; nothing is made."""
    wanted: dict[str, Any] = {"metrics": metric or [], "effect": effect, "searches": searches, "days": days}
    wanted |= _read_plan(more) if more else {}
    told = ServiceClient(url, collection).post("/v1/experiments/plan", wanted)
    if as_json:
        show(told, as_json)
        return
    history = told["history"]
    out.print(
        f"{history['searches_a_day']:.0f} searches a day by known users, read over {history['days']:.1f} days.",
        highlight=False,
    )
    for assumed in told["assumptions"]:
        out.print(f"Assumed: {assumed}.", markup=False, highlight=False, style="dim")
    table = Table(_whole("metric"), "kind", "now", "effect", "relative", "searches", "days", "found with")
    for one in told["samples"]:
        sizes = ("never", "never") if one["days"] is None else (f"{one['searches']:,}", f"{one['days']:.1f}")
        relative = "-" if one["lift"] is None else f"{one['lift']:.1%}"
        now, size = _number(one["value"]), _number(one["effect"])
        table.add_row(one["metric"], one["kind"], now, size, relative, *sizes, f"{one['power']:.0%}")
    out.print(table)
    if told["unmeasured"]:
        out.print(f"Measured too rarely to plan for: {', '.join(told['unmeasured'])}.", highlight=False)


@app.command("start")
def start_experiment(
    name: ExperimentId, collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Let an experiment take traffic."""
    started = ServiceClient(url, collection).post(f"{_path(name)}/start", {})
    show(started, as_json, f"experiment {started['id']} is {started['state']}, run {started['run']}")


@app.command("stop")
def stop_experiment(
    name: ExperimentId,
    reason: Annotated[str, typer.Option(help="Recorded with the decision.")] = "stopped by hand",
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Stop a running experiment without a verdict."""
    stopped = ServiceClient(url, collection).post(f"{_path(name)}/stop", {"reason": reason})
    show(stopped, as_json, f"experiment {stopped['id']} is {stopped['state']}")


@app.command("show")
def show_experiment(
    name: ExperimentId, collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Show what an experiment has measured, and its verdict."""
    card = ServiceClient(url, collection).get(_path(name))
    if as_json:
        show(card, as_json)
        return
    verdict = card["verdict"]
    out.print(f"[bold]{card['experiment']['plan']['name']}[/]: {verdict['decision']}", highlight=False)
    out.print(card["sentence"], markup=False, highlight=False)
    out.print(verdict["reason"], markup=False, highlight=False, style="dim")
    table = Table(
        _whole("metric"),
        "role",
        *(f"{arm['arm']} ({arm['units']} units)" for arm in card["arms"]),
        "effect",
        "interval",
    )
    for metric in card["metrics"]:
        values = [_number(one["value"]) for one in metric["values"].values()]
        for found in metric["evidence"] or [{}]:
            interval = f"{_number(found.get('low'), '+')} to {_number(found.get('high'), '+')}"
            table.add_row(metric["name"], metric["role"], *values, _number(found.get("estimate"), "+"), interval)
    for stratum in card["strata"]:
        for found in stratum["evidence"]:
            where = f"{found['metric']}, {stratum['name'].replace('_', ' ')}"
            interval = f"{_number(found['low'], '+')} to {_number(found['high'], '+')}"
            blank = [""] * len(card["arms"])
            table.add_row(where, found["treatment"], *blank, _number(found["estimate"], "+"), interval)
    out.print(table)


@app.command("report")
def report_experiment(
    name: ExperimentId,
    to: Annotated[
        Path | None, typer.Option(help="File to write; its ending names the format. Standard output without it.")
    ] = None,
    form: Annotated[
        Literal["json", "html", "parquet"] | None,
        typer.Option("--format", help="Format, where no file names it: json."),
    ] = None,
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
) -> None:
    """Write an experiment's report: JSON, a page that stands alone, or its sums as Parquet."""
    chosen = form or _format_of(to)
    report = ServiceClient(url, collection).download(f"{_path(name)}/report?format={chosen}")
    if to is None:
        typer.get_binary_stream("stdout").write(report)
    else:
        write_whole(to, report)
        err.print(f"report written to {to}", markup=False, highlight=False)


@app.command("look")
def look_at_experiment(
    name: ExperimentId, collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Look now, and act on a final verdict: it is kept and ends the experiment."""
    card = ServiceClient(url, collection).post(f"{_path(name)}/look", {})
    show(card, as_json, f"{card['verdict']['decision']}: {card['sentence']}")


@app.command("decisions")
def list_decisions(
    name: ExperimentId, collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """List what was decided about an experiment, newest first."""
    found = ServiceClient(url, collection).get(f"{_path(name)}/decisions")
    table = Table(_whole("decision"), "when", "verdict", "by", "why")
    for one in found["decisions"]:
        table.add_row(one["id"], one["at"], one["verdict"], one["actor"], one["reason"])
    show(found, as_json, table)


@app.command("audit")
def audit_experiment(
    name: ExperimentId, collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Fold the log again up to each decision and compare; exit status 1 where a number is another."""
    report = ServiceClient(url, collection).get(f"{_path(name)}/audit")
    table = Table(_whole("decision"), "verdict", "log position", "reproduced", "what differs")
    for one in report["decisions"]:
        differs = "; ".join(one["differences"])
        table.add_row(
            one["decision"], one["verdict"], str(one["change"]), "yes" if one["reproduced"] else "no", differs
        )
    show(report, as_json, table)
    raise typer.Exit(0 if all(one["reproduced"] for one in report["decisions"]) else 1)


@app.command("metrics")
def list_metrics(collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List the metrics that a plan may name, the collection's own at the end."""
    found = ServiceClient(url, collection).get("/v1/metrics")
    table = Table(_whole("metric"), "better", "what it is")
    better = {True: "higher", False: "lower", None: "as it is"}
    for metric in found["metrics"]:
        table.add_row(metric["name"], better[metric["higher_is_better"]], metric["sentence"])
    show(found, as_json, table)


def _format_of(to: Path | None) -> str:
    ending = to.suffix.lower().removeprefix(".") if to else "json"
    if ending not in {"json", "html", "parquet"}:
        raise InvalidRequest(f"{to} names no format; let it end in .json, .html or .parquet, or give --format")
    return ending


def _whole(heading: str) -> Column:
    """Return a column whose cells are never cut: they are to be copied."""
    return Column(heading, no_wrap=True)


def _path(name: str) -> str:
    return f"/v1/experiments/{quote(name, safe='')}"


def _read_plan(file: Path) -> Any:
    text = typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except json.JSONDecodeError as problem:
        raise InvalidRequest(f"{file} holds no JSON: {problem}") from problem


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.4g}"
