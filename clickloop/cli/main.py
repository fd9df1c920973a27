"""The command line."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table

from clickloop.cli import documents, evaluating, experiments, feedback, keys, versions
from clickloop.cli.autopilot import commands as autopilot
from clickloop.cli.demo import commands
from clickloop.cli.gold import commands as gold
from clickloop.cli.projects import commands as projects
from clickloop.cli.relevance import commands as relevance
from clickloop.cli.terminal import DEFAULT_URL, AsJson, CollectionName, Url, err, out, print_json, show, show_fields
from clickloop.cli.whatif import commands as whatif
from foundation.errors import ClickloopError, Overloaded, StoreAway
from foundation.http_client import ServiceClient
from foundation.sections import MAX_PORT, MAX_WORKERS
from foundation.settings import Settings, explain_settings, renamed_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(versions.versions, name="versions")
app.add_typer(versions.runs, name="runs")
app.add_typer(versions.diagnosing)
app.add_typer(experiments.app, name="experiment")
app.add_typer(keys.app, name="keys")
app.add_typer(documents.app)
app.add_typer(feedback.app)
app.add_typer(evaluating.app)
app.add_typer(commands.app)
app.add_typer(gold.app, name="gold")
app.add_typer(autopilot.app, name="autopilot")
app.add_typer(relevance.app, name="relevance")
app.add_typer(whatif.app)
app.add_typer(projects.app, name="project")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=MAX_PORT, help="Port to listen on; 0 takes a free one.")
    ] = None,
    role: Annotated[Literal["all", "api"], typer.Option(help="all: collect and retrain too; api: only serve.")] = "all",
    workers: Annotated[
        int | None, typer.Option(min=1, max=MAX_WORKERS, help="Processes that answer; they share the index.")
    ] = None,
) -> None:
    """Run the service; all-in-one unless told otherwise."""
    from clickloop.server.shared_metrics import share_metrics

    given = {"host": host, "port": port, "workers": workers}
    changes = {key: one for key, one in given.items() if one is not None}
    settings = Settings().model_copy(update=changes)
    with share_metrics(settings.home):
        from clickloop.server.exposure import prepare_to_listen
        from clickloop.server.server import run

        prepare_to_listen(settings, lambda text: typer.echo(text, err=True))
        run(settings, role)


@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
def bench(arguments: Annotated[list[str] | None, typer.Argument(help="A bench and its options.")] = None) -> None:
    """Measure this release against its bars."""
    from clickloop.cli.bench import run_benchmarks

    run_benchmarks(arguments or [])


@app.command("mcp")
def serve_agents(
    http: Annotated[bool, typer.Option("--http", help="Listen for streamable HTTP instead of standard input.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen on, with --http.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=MAX_PORT, help="Port to listen on, with --http.")] = 8081,
    user: Annotated[str, typer.Option(help="The user that caps and experiments count all agents as.")] = "agent",
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
) -> None:
    """Give agents the running service as MCP tools: search, context, feedback."""
    from clickloop.integrations.mcp import make_server

    server = make_server(ServiceClient(url, collection), user)
    if http:
        server.run("streamable-http", host=host, port=port, stateless_http=True)
    else:
        server.run("stdio")


@app.command()
def collect() -> None:
    """Fold the event log into evidence until stopped."""
    from clickloop.container import Container

    stop = _stop_on_signal()
    container = Container(Settings())
    threading.Thread(target=container.make_retention().run, args=(stop,), name="retention", daemon=True).start()
    container.make_consumer().run(stop)


@app.command(hidden=True)
def background() -> None:
    """Collect and retrain for the server that started this process, as long as it lives."""
    from clickloop.container import Container
    from clickloop.server.background import PAGE_CACHE_MIB, Background
    from clickloop.server.garbage import collect_seldom
    from foundation.processes.children import parent_ended

    work = Background(Container(Settings(), PAGE_CACHE_MIB), parent_ended)
    collect_seldom()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # sent to the whole group; this ends when the server has drained
    work.start()
    work.stopped.wait()
    work.stop()
    raise typer.Exit(int(work.failed))


@app.command()
def retrain(
    collection: CollectionName = "default",
    once: Annotated[bool, typer.Option(help="Train one candidate now, gate it, and end.")] = False,
    learners: Annotated[
        Literal["fast", "tower", "encoder", "student"],
        typer.Option(
            help="tower: a static tower too; encoder: fine-tune the encoder; student: a smaller encoder; with --once."
        ),
    ] = "fast",
    labels: Annotated[
        Path | None, typer.Option(help="BEIR folder to learn from instead of clicks: its split train; as --once.")
    ] = None,
    run: Annotated[str, typer.Option(hidden=True, help="Id of the run to train for.")] = "",
    lease: Annotated[int, typer.Option(hidden=True, help="Number of the run's lease.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Train on schedule until stopped, or once."""
    if learners != "fast" and not (once or labels):
        raise typer.BadParameter("only with --once or --labels", param_hint="--learners")
    from clickloop.container import Container
    from retrainer.workers import AGAIN

    container = Container(Settings())
    if run:
        from clickloop.training import train_for_run

        try:
            train_for_run(container, collection, run, lease)
        except (StoreAway, Overloaded) as problem:
            raise typer.Exit(AGAIN) from problem
    elif once or labels:
        from clickloop.training import train_once

        with err.status("training") as status:
            version = train_once(container, collection, status.update, learners, labels)
        show(version, as_json)
    else:
        _run_schedule(container)


@app.command()
def search(
    query: str,
    limit: Annotated[int, typer.Option("--limit", "-k", help="Results.")] = 10,
    explain: Annotated[bool, typer.Option(help="Show every score.")] = False,
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Search the running service; leaves no impression."""
    answer = ServiceClient(url, collection).post(
        "/v1/search", {"query": query, "limit": limit, "explain": explain, "log": False}
    )
    table = Table("rank", "id", "title", "score", title=f"{query} · {answer['version']}")
    for hit in answer["hits"]:
        scores = " ".join(f"{name}={value:.2f}" for name, value in hit["scores"].items()) if explain else ""
        table.add_row(str(hit["rank"]), hit["id"], hit["title"], f"{hit['score']:.2f} {scores}")
    show(answer, as_json, table)


@app.command()
def doctor(
    judged: Annotated[
        Path | None, typer.Option(help="BEIR folder to judge by; without it, the clicks that users agree on.")
    ] = None,
    late: Annotated[bool, typer.Option(help="Measure whether late interaction pays; embeds once.")] = False,
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
    seed: int = 0,
    as_json: AsJson = False,
) -> None:
    """Look at an installation and say what to do; status 1 when something should be done."""
    from dataclasses import asdict

    from clickloop.cli.doctor import examine_late_interaction, examine_service
    from clickloop.container import Container
    from simulator.collection import read_beir

    found = examine_service(ServiceClient(url, collection))
    if late or judged:
        with err.status("measuring late interaction"):
            judgments = read_beir(judged) if judged else None
            found.append(examine_late_interaction(Container(Settings()), collection, judgments, seed))
    if as_json:
        print_json([asdict(finding) for finding in found])
    else:
        for finding in found:
            out.print("[green]fine[/green]" if finding.good else "[red]look[/red]", finding.subject, "-", finding.what)
    if not all(finding.good for finding in found):
        raise typer.Exit(1)


@app.command()
def migrate() -> None:
    """Bring the database to this release's schema."""
    from foundation.database import schema
    from foundation.database.engine import make_engine

    engine = make_engine(Settings().resolved_database_url())
    schema.upgrade(engine)
    out.print(f"database at revision {schema.current(engine)}")


@app.command()
def erase(user: str, collection: CollectionName = "default", url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Erase a person from a collection, and print the receipt."""
    receipt = ServiceClient(url, collection).delete(f"/v1/users/{quote(user, safe='')}", None)
    if as_json:
        print_json(receipt)
    else:
        show_fields(receipt)


def main() -> None:
    """Run the command line.

    An error of clickloop's own, a wrong setting, or a file that is another user's is one line and exit status 1.
    """
    for line in renamed_settings():
        err.print(f"[yellow]A setting has a new name:[/yellow] {line}", highlight=False, soft_wrap=True)
    try:
        app()
    except PermissionError as problem:
        if problem.filename is None:
            raise
        told = f"{problem.filename}: {problem.strerror}; give it to the user who runs clickloop, or run it as its owner"
        err.print(f"[red]A file is closed to this user:[/red] {escape(told)}", highlight=False, soft_wrap=True)
        raise SystemExit(1) from problem
    except ClickloopError as problem:
        err.print(f"[red]{problem.title}:[/red] {escape(problem.detail)}")
        raise SystemExit(1) from problem
    except ValidationError as problem:
        if problem.title != Settings.__name__:
            raise
        for line in explain_settings(problem):
            err.print(f"[red]A setting cannot be:[/red] {escape(line)}", highlight=False, soft_wrap=True)
        raise SystemExit(1) from problem


def _run_schedule(container: Any) -> None:
    stop = _stop_on_signal()
    workers = container.make_workers()
    schedule = container.make_schedule(workers)
    webhooks = container.make_webhook_sender()
    threading.Thread(target=webhooks.run, args=(stop,), name="webhooks", daemon=True).start()
    schedule.start()
    stop.wait()
    schedule.stop()
    workers.stop()


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
