"""The commands with simulated users: the demo, and users for a service that somebody else started."""

from __future__ import annotations

import signal
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from clickloop.cli.terminal import DEFAULT_URL, AsJson, CollectionName, Url, err, out, show

app = typer.Typer()


@app.command()
def demo(
    wait: Annotated[bool, typer.Option(help="Keep the service running after the report.")] = True,
    clicks: Annotated[int, typer.Option(min=400, help="Clicks before the autopilot trains.")] = 2500,
    seed: int = 1,
    home: Annotated[Path, typer.Option(help="Directory kept between runs.")] = Path(".clickloop/demo"),
) -> None:
    """Show a help centre's search learning from the clicks of simulated users."""
    from clickloop.cli.demo.demo import Demo, get_collection
    from clickloop.cli.demo.report import print_report

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    loop = Demo(home.resolve(), out, seed, clicks)
    try:
        story = loop.run()
        print_report(out, story, get_collection(home / "corpus", out)[1], loop.service.url, seed)
        if wait:
            out.print("Ctrl-C ends it.")
            loop.service.wait()
    except KeyboardInterrupt:
        out.print("ending")
    finally:
        loop.service.stop()


@app.command()
def simulate(
    collection_folder: Annotated[Path, typer.Option("--data", help="BEIR folder with judged train queries.")],
    clicks: Annotated[int, typer.Option(min=1)] = 1000,
    users: Annotated[str, typer.Option(help="position, cascade, trust or mixed.")] = "mixed",
    seed: int = 0,
    concurrency: Annotated[int, typer.Option(min=1, max=64)] = 4,
    collection: CollectionName = "default",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Let simulated users search and click on a running service."""
    from dataclasses import asdict

    from rich.progress import Progress

    from simulator.collection import read_beir
    from simulator.driver import Driver
    from simulator.traffic import Traffic
    from simulator.users import make_population

    judged = read_beir(collection_folder)
    people = make_population(users, max_grade=judged.max_grade)
    driver = Driver(url, judged, people, Traffic(judged, seed), concurrency, collection)
    with closing(driver), Progress(console=err, transient=True) as progress:
        task = progress.add_task("clicks", total=clicks)
        tally = driver.run(clicks=clicks, on_progress=lambda now: progress.update(task, completed=now.clicks))
    show(asdict(tally), as_json)
