"""The guide's projects, one command each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from clickloop.cli.terminal import AsJson, err, out, print_json
from foundation.settings import Settings

if TYPE_CHECKING:
    from clickloop.cli.projects.page import ProjectPage

_SEARCHES = 4000
_WEEKLY = 600

app = typer.Typer(no_args_is_help=True, help="The guide's projects on judged folders, each with its page and picture.")

Judged = Annotated[Path, typer.Option("--data", help="Folder in BEIR form, with the splits train and test.")]
To = Annotated[Path, typer.Option("--to", help="Folder for page.md, its pictures, facts.json and report.html.")]
Home = Annotated[Path | None, typer.Option(help="Directory that keeps documents and vectors between runs.")]


@app.command("shop")
def search_products(
    data: Judged,
    to: To = Path("shop"),
    queries: Annotated[int, typer.Option(min=1, help="Judged queries to compare one by one.")] = 20,
    clicks: Annotated[int, typer.Option(min=0, help="Clicks of simulated people; 0 leaves them out.")] = 3000,
    home: Home = None,
    seed: int = 0,
    as_json: AsJson = False,
) -> None:
    """Compare words, meaning and both on product queries, with causes; then what clicks add."""
    from clickloop.cli.projects.shop import run

    settings = _settings(home or _home(data, "shop"))
    with err.status("reading") as status:
        page = run(settings, data, to, queries=queries, clicks=clicks, seed=seed, tell=status.update)
    _end(page, to, as_json)


@app.command("retriever")
def tune_retriever(
    data: Judged,
    to: To = Path("retriever"),
    minutes: Annotated[float, typer.Option(min=0.1, help="Most minutes of training.")] = 20.0,
    negatives: Annotated[
        Literal["mined", "batch"], typer.Option(help="Hard negatives beside those of the batch, or these alone.")
    ] = "mined",
    home: Home = None,
    seed: int = 0,
    as_json: AsJson = False,
) -> None:
    """Fine-tune the encoder on judged clauses; MRR@10 before and after, alone and with words."""
    from clickloop.cli.projects.clauses import run
    from clickloop.container import Container

    settings = _settings(
        home or _home(data, "retriever"), encoder_minutes=minutes, encoder_negatives=negatives, seed=seed
    )
    with err.status("reading") as status:
        page = run(Container(settings), data, to, seed, status.update)
    _end(page, to, as_json)


@app.command("desk")
def run_desk(  # noqa: PLR0913, PLR0917  a command line takes as many options as people may want to give
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder in BEIR form, with the splits train and test; a help centre without."),
    ] = None,
    to: To = Path("desk"),
    clicks: Annotated[int, typer.Option(min=100, help="Clicks to learn from.")] = 3000,
    searches: Annotated[
        int | None, typer.Option(min=100, help="Searches of the A/B test, 4000 if not given; of a week, 600.")
    ] = None,
    weeks: Annotated[
        int, typer.Option(min=0, max=52, help="Simulate so many weeks, the one in the middle poisoned; 0: an A/B test.")
    ] = 0,
    learners: Annotated[
        Literal["fast", "tower", "encoder", "student"], typer.Option(help="Which learn; as of clickloop retrain.")
    ] = "fast",
    home: Home = None,
    seed: int = 0,
    as_json: AsJson = False,
) -> None:
    """Let simulated people use a support desk, learn from their ratings, and compare CSAT and resolution.

    Either once, in an A/B test, or week by week under the autopilot while articles and topics change.
    """
    from clickloop.cli.demo.demo import get_collection
    from clickloop.cli.projects import quarter, support
    from simulator.collection import read_beir

    place = (home or _home(data or Path("help"), "desk")).resolve()
    title, collection = (data.name, read_beir(data)) if data else get_collection(place / "corpus", err)
    with err.status("starting") as status:
        how: dict[str, Any] = {"learners": learners, "seed": seed, "tell": status.update}
        if weeks:
            page = quarter.run(place, title, collection, weeks=weeks, searches=searches or _WEEKLY, **how)
        else:
            page = support.run(place, title, collection, clicks=clicks, searches=searches or _SEARCHES, **how)
    _end(page, to, as_json)


def _settings(home: Path, **changes: Any) -> Settings:
    return Settings().model_copy(update={"home": home.resolve(), "log_level": "warning"} | changes)


def _home(data: Path, project: str) -> Path:
    return Path(".clickloop") / "projects" / f"{project}-{data.resolve().name}"


def _end(page: ProjectPage, to: Path, as_json: bool) -> None:
    page.write(to)
    if as_json:
        print_json(page.to_json())
    else:
        page.print(out)
    err.print(f"page, pictures and facts are in {to}")
