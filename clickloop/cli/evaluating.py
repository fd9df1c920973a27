"""The commands that measure rankings on judged queries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clickloop.cli.terminal import AsJson, CollectionName, err, out, print_json
from foundation.settings import Settings

app = typer.Typer()

_MEASURES = "nDCG@10,RR@10,R@100"


@app.command()
def compare(
    collection_folder: Annotated[Path, typer.Option("--collection", help="Folder in BEIR form.")],
    systems: Annotated[
        str, typer.Option(help="Comma-separated: bm25, dense, rrf, hybrid, rerank, a version's id, a TREC run file.")
    ] = "bm25,dense,rrf,hybrid",
    split: Annotated[str, typer.Option(help="The judged queries to ask.")] = "test",
    depth: Annotated[int, typer.Option(min=10, max=1000, help="Most results a query.")] = 100,
    metrics: Annotated[
        str, typer.Option(help="Comma-separated: nDCG@k, RR@k, AP, P@k, R@k.")
    ] = "nDCG@10,RR@10,AP,P@10,R@10,R@100",
    to: Annotated[Path | None, typer.Option(help="Folder for report.html and a TREC run file a system.")] = None,
    seed: int = 0,
    as_json: AsJson = False,
) -> None:
    """Compare retrieval systems on judged queries, and say why each fails."""
    from clickloop.container import Container
    from clickloop.evaluation.measures import parse_measures
    from clickloop.evaluation.report import compare as compare_systems
    from clickloop.evaluation.report import print_comparison, write_report
    from clickloop.evaluation.systems import RERANK, Systems
    from simulator.collection import read_beir

    measures = parse_measures(metrics, depth)
    collection = read_beir(collection_folder)
    names = [name.strip() for name in systems.split(",") if name.strip()]
    with err.status(f"embedding {len(collection.documents)} documents, those seen before excepted"):
        retrieval = Systems(Container(Settings()), collection, depth, late=RERANK in names)
        found = compare_systems(collection_folder.name, collection, split, names, retrieval.rank, seed, measures)
    if to is not None:
        write_report(found, collection, to)
    if as_json:
        print_json(found.to_json())
    else:
        print_comparison(found, out)
    if to is not None:
        err.print(f"report and runs are in {to}")


@app.command()
def evaluate(
    folders: Annotated[list[Path], typer.Argument(help="Folders in BEIR form.")],
    versions: Annotated[
        str, typer.Option(help="Comma-separated ids or names of versions; champion stands for the one that serves.")
    ] = "champion",
    split: Annotated[str, typer.Option(help="The judged queries to ask.")] = "test",
    metrics: Annotated[str, typer.Option(help="Comma-separated: nDCG@k, RR@k, AP, P@k, R@k; k up to 100.")] = _MEASURES,
    mteb: Annotated[
        bool, typer.Option("--mteb", help="Let mteb measure the vectors of each version too, by its own API.")
    ] = False,
    collection: CollectionName = "default",
    as_json: AsJson = False,
) -> None:
    """Measure versions on judged folders: as they rank, and their vectors alone by mteb."""
    from clickloop.container import Container
    from clickloop.evaluation.versions import evaluate_versions, print_results

    wanted = [name.strip() for name in versions.split(",") if name.strip()]
    with err.status("evaluating") as status:
        found = evaluate_versions(
            Container(Settings()), collection, wanted, folders, split, metrics, mteb=mteb, tell=status.update
        )
    if as_json:
        print_json([result.to_json() for result in found])
    else:
        print_results(found, out)
