"""The command line of the benches: each measures bars and ends with status 1 when one is missed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks.harness.machine import describe_machine
from benchmarks.harness.report import Findings, all_met, make_report, print_report
from foundation.clock import monotonic_s

app = typer.Typer(no_args_is_help=True, help="Measure this release against its bars.")

Seed = Annotated[int, typer.Option(help="Seed of every random choice.")]
Quick = Annotated[bool, typer.Option("--quick", help="A smaller run, at most 50 s on two cores.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Folder = Annotated[Path | None, typer.Option("--collection", help="Folder in BEIR form; docstrings without one.")]


@app.command()
def ab(
    headlines: Annotated[
        Path | None, typer.Option(help="Archive of real tests: gzipped CSV of test_id, arm, impressions, clicks.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of collections in BEIR form, for interleaving; docstrings without one.")
    ] = None,
    parts: Annotated[
        str, typer.Option(help="Names of parts, as a run tells them; all, or a few of them if quick.")
    ] = "",
    seed: Seed = 0,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Experiments: false findings, power, coverage, audits, verdicts over HTTP, moves of the champion."""
    from benchmarks.experiments import run as bench

    only = tuple(parts.replace(",", " ").split())
    _check_parts(only, [name for name in bench.ALL_PARTS if headlines or name != bench.UPWORTHY])
    tell = Console(stderr=True).print
    _measure("ab", seed, as_json, lambda: bench.run(seed, quick, tell, headlines=headlines, data=data, only=only))


@app.command()
def chaos(
    parts: Annotated[
        str,
        typer.Option(
            help="Of kills, outages, trainer, replicas, emptied, silence, hostile, stalled; all. Quick: kills, emptied."
        ),
    ] = "",
    seed: Seed = 0,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Kill, fill, lock, stop, pause and empty what the service stands on, under load; see what clients see."""
    from benchmarks.chaos import run as bench

    only = tuple(parts.replace(",", " ").split()) or (bench.QUICK_PARTS if quick else bench.ALL_PARTS)
    _check_parts(only, bench.ALL_PARTS)
    _measure("chaos", seed, as_json, lambda: bench.run(seed, quick, Console(stderr=True).print, only))


@app.command()
def against(
    revision: Annotated[str, typer.Argument(help="Commit to compare with, such as HEAD~1.")],
    collection: Folder = None,
    seed: Seed = 0,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Compare this tree with another commit, both running side by side: searches, taking in, quality, evidence."""
    from benchmarks import against as bench

    _measure("against", seed, as_json, lambda: bench.run(revision, collection, seed, quick))


@app.command()
def finetune(
    data: Annotated[
        Path | None, typer.Option(help="Folder of banking77 and postgresql_docs; docstrings without.")
    ] = None,
    parts: Annotated[
        str,
        typer.Option(help="Of encoder, bridge, interchange, tower, student, labels, kills; all, or encoder if quick."),
    ] = "",
    minutes: Annotated[
        float, typer.Option(min=0.0, help="Most minutes of training; 0: of labels, what learns no encoder.")
    ] = 20.0,
    pictures: Annotated[Path | None, typer.Option(help="Folder for the picture of the student.")] = None,
    seed: Seed = 0,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Measure the slow learners: what they gain by judgments, forget and cost, and how versions leave and come in."""
    from benchmarks.finetune import run as bench

    only = tuple(parts.replace(",", " ").split()) or (bench.QUICK_PARTS if quick else bench.ALL_PARTS)
    _check_parts(only, bench.ALL_PARTS)
    tell = Console(stderr=True).print
    _measure("finetune", seed, as_json, lambda: bench.run(data, minutes, seed, quick, tell, only, pictures))


@app.command()
def gate(
    collection: Folder = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of collections to plant pairs of versions in; --collection without.")
    ] = None,
    parts: Annotated[str, typer.Option(help="Of sabotage, pairs, off-policy; all.")] = "",
    seed: Seed = 0,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Sabotage a candidate: what passes gate and experiment? Plant pairs of versions: is the gate's judge right?"""
    from benchmarks.learning import gate as bench

    only = tuple(parts.replace(",", " ").split()) or bench.ALL_PARTS
    _check_parts(only, bench.ALL_PARTS)
    tell = Console(stderr=True).print
    _measure("gate", seed, as_json, lambda: bench.run(collection, data, seed, quick, only, tell))


@app.command()
def latency(collection: Folder = None, seed: Seed = 0, quick: Quick = False, as_json: AsJson = False) -> None:
    """Time searches over HTTP, and how soon clicks change a ranking."""
    from benchmarks import latency as bench

    _measure("latency", seed, as_json, lambda: bench.run(collection, seed, quick))


@app.command()
def swap(seed: Seed = 0, quick: Quick = False, as_json: AsJson = False) -> None:
    """Promote and roll back under twenty clients; count failed requests, time rollbacks."""
    from benchmarks import swap as bench

    _measure("swap", seed, as_json, lambda: bench.run(seed, quick))


@app.command()
def search(
    data: Annotated[
        Path | None, typer.Option(help="Folder of collections in BEIR form; docstrings without one.")
    ] = None,
    home: Annotated[Path, typer.Option(help="Directory that keeps the articles' index between runs.")] = Path(
        ".clickloop/bench-search"
    ),
    documents: Annotated[int | None, typer.Option(min=100, help="Articles; 100,000, quick 300.")] = None,
    bars: Annotated[str, typer.Option(help="Numbers of the bars wanted, such as 2,3; 1 needs 2. Quick: 2,4,5.")] = "",
    parts: Annotated[
        str,
        typer.Option(help="What makes a corpus of its own instead: pages, rank, rules, evidence, fields, personal."),
    ] = "",
    seed: Seed = 1,
    quick: Annotated[bool, typer.Option("--quick", help="A smaller run: 300 articles, a minute and a half.")] = False,
    as_json: AsJson = False,
) -> None:
    """Search over 100,000 articles: time, overload, memory, recall, swaps, builds, quality. Embeds for an hour once."""
    from benchmarks.search import run as bench
    from benchmarks.shop import parts as own

    if named := tuple(parts.replace(",", " ").split()):
        _check_parts(named, own.PARTS)
        _measure("search", seed, as_json, lambda: own.run(named, seed, quick, Console(stderr=True).print))
        return
    count = documents or (bench.QUICK_DOCUMENTS if quick else bench.DOCUMENTS)
    kept = home.resolve() / f"{count}-{seed}"
    tell = Console(stderr=True).print
    asked = _numbers(bars) & bench.ALL_BARS
    only = asked or (bench.QUICK_BARS if quick else bench.ALL_BARS)
    _measure("search", seed, as_json, lambda: bench.run(data, kept, count, seed, quick, tell, only))


@app.command()
def language(
    data: Annotated[
        Path | None, typer.Option(help="Folder of collections in BEIR form, for slips and for queries without sense.")
    ] = None,
    home: Annotated[Path, typer.Option(help="Directory that keeps vectors between runs.")] = Path(
        ".clickloop/bench-language"
    ),
    seed: Seed = 0,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Words inside titles of ten languages, codes and names; slips; queries without sense: what is found first?"""
    from benchmarks.search import language as bench

    _measure("language", seed, as_json, lambda: bench.run(data, home.resolve(), seed, quick))


@app.command()
def demo(
    home: Annotated[Path, typer.Option(help="Directory that keeps pages and vectors between runs.")] = Path(
        ".clickloop/bench-demo"
    ),
    seeds: Annotated[int, typer.Option(min=1, help="Demos, under the seeds 1, 2, ...; quick: 1.")] = 10,
    quick: Annotated[bool, typer.Option("--quick", help="One seed and 600 clicks: three minutes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run the demo, four minutes a seed: is a better candidate promoted, in time, and a worse one never?"""
    from benchmarks import demo as bench

    tell = Console(stderr=True).print
    wanted = range(1, 2 if quick else seeds + 1)
    _measure("demo", 1, as_json, lambda: bench.run(home.resolve(), wanted, quick, tell))


@app.command()
def ingest(
    stored: Annotated[int | None, typer.Option(min=0, help="Stored events to compare with; 10 million.")] = None,
    bars: Annotated[str, typer.Option(help="Numbers of the bars wanted, such as 1,2. Quick: 1.")] = "",
    seed: Seed = 0,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Take in and join feedback: throughput, lag, kills of server and consumer."""
    from benchmarks.ingest import run as bench

    count = stored if stored is not None else (bench.QUICK_STORED if quick else bench.STORED)
    asked = _numbers(bars) & bench.ALL_BARS
    only = asked or (bench.QUICK_BARS if quick else bench.ALL_BARS)
    tell = Console(stderr=True).print
    _measure("ingest", seed, as_json, lambda: bench.run(seed, quick, count, tell, only))


@app.command()
def loop(
    collection: Folder = None,
    clicks: Annotated[int, typer.Option(min=100, help="Clicks of the closed loop.")] = 15_000,
    seeds: Annotated[int, typer.Option(min=1, help="Runs, under the seeds 0, 1, ...")] = 3,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Quality that the closed loop wins from simulated clicks."""
    from benchmarks.learning import loop as bench

    err = Console(stderr=True)
    report = bench.run(collection, clicks, list(range(seeds)), quick, err.print)
    _end(report | {"machine": describe_machine()}, as_json)


@app.command()
def small(
    data: Annotated[Path | None, typer.Option(help="Folder of collections in BEIR form; docstrings without.")] = None,
    dev: Annotated[
        bool, typer.Option("--dev", help="Judge on a part of the train queries, to choose settings by.")
    ] = False,
    seed: Seed = 0,
    quick: Quick = False,
    as_json: AsJson = False,
) -> None:
    """Small collections and 40 to 600 clicks: does any training, or what acts at once, make the ranking worse?"""
    from benchmarks.learning import small as bench

    tell = Console(stderr=True).print
    _measure("small", seed, as_json, lambda: bench.run(data, seed, quick, dev, tell))


def _numbers(bars: str) -> frozenset[int]:
    """Return the numbers of a comma-separated list; an error of the command line where one is none."""
    words = [word.strip() for word in bars.split(",") if word.strip()]
    wrong = [word for word in words if not (word.isdecimal() and len(word) == 1)]
    if wrong:
        raise typer.BadParameter(f"{wrong[0][:20]!r} is no number of a bar", param_hint="--bars")
    return frozenset(map(int, words))


def _check_parts(only: Iterable[str], parts: Iterable[str]) -> None:
    if unknown := set(only) - set(parts):
        raise typer.BadParameter(f"{min(unknown)!r} is none of {', '.join(parts)}")


def _measure(name: str, seed: int, as_json: bool, run: Callable[[], Findings]) -> None:
    began_s = monotonic_s()
    findings = run()
    _end(make_report(name, seed, monotonic_s() - began_s, findings), as_json)


def _end(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False, default=str))
    else:
        print_report({"details": {}} | report, Console())
    if not all_met(report["bars"]):
        raise typer.Exit(1)
