"""A version with a learned adapter leaves as a folder, agrees with itself, and runs under mteb."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from benchmarks.finetune.collections import ask_fewer, read_collections
from benchmarks.finetune.supervised import Bench
from benchmarks.harness.fixtures import register
from benchmarks.harness.report import Findings, at_least
from benchmarks.harness.server import bench_settings
from clickloop.container import Container
from clickloop.evaluation.versions import evaluate_versions
from clickloop.interchange import export, take_in
from foundation.contracts import DEFAULT_COLLECTION, Document
from retrainer.candidate import write_manifest
from retrainer.interchange.exporting import MIN_COSINE
from simulator.collection import JudgedCollection, write_beir

_QUERIES = 300
_SPLIT = "test"


def measure(data: Path | None, seed: int, quick: bool, tell: Callable[[str], None]) -> Findings:
    """Return the bars of interchange, on the first collection that is there."""
    name, whole = next(iter(read_collections(data, quick).items()))
    collection = ask_fewer(whole, _QUERIES)
    with bench_settings(encoder_threads=1, encoder_precision="int8") as settings:
        container = Container(settings)
        try:
            version = _make_version(container, collection, seed, tell)
            tell("exporting")
            folder = settings.home / "exported"
            _, agreement = export(container, DEFAULT_COLLECTION, version, folder)
            back = take_in(container, DEFAULT_COLLECTION, folder)
            same = back.manifest.encoder == container.encoder.digest
            bars = [
                at_least("finetune.9", "cosine of the exported folder with the version", agreement.exact, MIN_COSINE),
                at_least("finetune.9", "the folder comes back as the same encoder", float(same), 1.0),
            ]
            details = {"cosine with the network that serves": round(agreement.serving, 4)}
            if find_spec("mteb") is None:
                return Findings(bars, details | {"mteb": "not run: it is not installed"})
            write_beir(collection, settings.home / "judged" / name)
            found = evaluate_versions(
                container,
                DEFAULT_COLLECTION,
                [container.baseline.id, version],
                [settings.home / "judged" / name],
                _SPLIT,
                "nDCG@10",
                mteb=True,
                tell=tell,
            )
            before, after = (one.means["nDCG@10"] for one in found if one.by == "mteb")
            bars.append(at_least("finetune.9", "nDCG@10 by mteb gained by the exported adapter", after - before, 0.0))
            told = [f"{one.version} by {one.by}: {one.means['nDCG@10']:.4f}" for one in found]
            return Findings(bars, details | {"nDCG@10": told})
        finally:
            container.engine.dispose()


def _make_version(container: Container, collection: JudgedCollection, seed: int, tell: Callable[[str], None]) -> str:
    """Register a version that learned from a collection's judgments, and return its id."""
    documents = [Document(one["id"], one["title"], one["text"]) for one in collection.documents]
    container.catalog.upsert(DEFAULT_COLLECTION, documents)
    bench = Bench(Path(container.settings.home), seed, tell)
    learned = bench.learn_fast(bench.open(collection, bench.own))
    manifest = write_manifest(learned, container.baseline, 0, container.registry.artifacts)
    return register(container, replace(manifest, residuals="", memory=""), "learned by a bench")
