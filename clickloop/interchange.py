"""Versions that leave as folders of sentence-transformers, and folders that come in as versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clickloop.container import Container
from foundation.access.actors import command_line_actor
from foundation.contracts import ClickCurve, Manifest
from foundation.errors import InvalidRequest, NotFound
from foundation.registry.registry import Version
from retrainer.interchange.card import Agreement
from retrainer.interchange.exporting import RANKING, ExportedEncoder, export_version
from retrainer.interchange.folders import OWN, read_folder
from retrainer.interchange.packing import pack_folder, unpack_folder
from serving.encode.form import PACKAGED_TOKENS, find_network, open_encoder, pack_form, packaged_model
from serving.ranking.adaptation import Adapter

CHAMPION = "champion"
"""Stands for the version that serves."""

_COMPARED = 64
_COMPARED_CHARACTERS = 200
_QUESTIONS = ("a", "How do I reset my password?", "Größe, 尺寸, размер", "HP-305XL 0x80070057", "print pages")


def find_version(container: Container, collection: str, wanted: str) -> Version:
    """Return a version by its id, its name, or `CHAMPION`; NotFound where there is none."""
    champion = container.registry.champion(collection) if wanted == CHAMPION else wanted
    if not champion:
        raise NotFound(f"collection {collection!r} has no champion yet; it gets one when the service first starts")
    return container.registry.get(collection, champion)


def export(container: Container, collection: str, wanted: str, target: Path) -> tuple[Version, Agreement]:
    """Write a version to a folder and return how well the folder agrees with what serves.

    Titles of documents stand in for queries when both are compared; none is written.

    Raises:
        NotFound: There is no such version, or the weights of its encoder were never kept.
        Conflict: The folder is there already and not empty.
        ArtifactDamaged: The folder would say something else than the version.
    """
    version = find_version(container, collection, wanted)
    manifest = version.manifest
    adapter = Adapter.from_bytes(container.registry.artifacts.get(manifest.adapter)) if manifest.adapter else None
    titles = [document.title[:_COMPARED_CHARACTERS] for document in container.catalog.changes(collection, 0, _COMPARED)]
    texts = list(dict.fromkeys([*_QUESTIONS, *filter(str.strip, titles)]))
    with _open_encoder(container, manifest) as encoder:
        return version, export_version(version, encoder, adapter, texts, target)


def take_in(container: Container, collection: str, folder: Path) -> Version:
    """Register a folder as a candidate version of a collection, and return it.

    Its encoder, and the Dense layer that only queries go through, replace those of the champion; how it fuses is what
    the folder says or else as the champion does. No gate has judged it.

    Raises:
        NotFound: There is no model in the folder.
        InvalidRequest: Queries and documents part in a way that no adapter describes.
        ArtifactDamaged: The model is of a kind that is not understood.
    """
    actor = command_line_actor()
    champion = container.registry.get(collection, container.hotswap.install(collection, container.baseline, actor))
    with TemporaryDirectory() as scratch:
        found = read_folder(folder, Path(scratch))
        manifest = _keep_encoder(container, found.encoder, champion.manifest)
    artifacts = container.registry.artifacts
    manifest = replace(
        manifest,
        adapter=artifacts.put(found.adapter.to_bytes()) if found.adapter else "",
        residuals="",
        **_read_ranking(folder),
    )
    version = Version(
        collection=collection,
        id=manifest.id,
        parent=champion.id,
        status="candidate",
        reason=f"taken in from the folder {folder.name}",
        manifest=manifest,
        lineage={"taken_in_from": folder.name},
        metrics={},
        created_at=container.clock.now(),
    )
    container.registry.register(version, actor)
    return container.registry.get(collection, version.id)


@contextmanager
def _open_encoder(container: Container, manifest: Manifest) -> Iterator[ExportedEncoder]:
    """Give the encoder of a version in all its forms."""
    with TemporaryDirectory() as scratch:
        folder, tokens = _find_weights(container, manifest, Path(scratch))
        cache = Path(container.settings.home) / "onnx"
        model = container.settings.model if manifest.encoder == container.encoder.digest else str(folder)
        exact = open_encoder(model, cache, "fp32", threads=1)
        serving = container.encoders.of(manifest, container.registry.artifacts.get).encoder
        network = find_network(model, cache, "fp32")
        yield ExportedEncoder(folder, network, exact, serving, tokens)


def _find_weights(container: Container, manifest: Manifest, scratch: Path) -> tuple[Path, int | None]:
    """Return the folder of a version's encoder, and where texts are cut if that is elsewhere than the folder says."""
    if manifest.encoder == container.encoder.digest:
        return (
            (Path(container.settings.model), None) if container.settings.model else (packaged_model(), PACKAGED_TOKENS)
        )
    if not manifest.encoder_source:
        raise NotFound(
            f"the weights of the encoder {manifest.encoder} were not kept: it was trained by an earlier release; "
            "train it again, and export that"
        )
    unpack_folder(container.registry.artifacts.get(manifest.encoder_source), scratch)
    return scratch, None


def _keep_encoder(container: Container, encoder: Path, champion: Manifest) -> Manifest:
    """Return the champion under another encoder, whose form and weights are artifacts from now on."""
    cache, artifacts = Path(container.settings.home) / "onnx", container.registry.artifacts
    opened = open_encoder(str(encoder), cache, container.settings.encoder_precision, threads=1)
    precision = opened.digest.rpartition("-")[2]
    if opened.digest == container.encoder.digest:
        return replace(champion, encoder=opened.digest, encoder_source="", encoder_bridge="")
    return replace(
        champion,
        encoder=opened.digest,
        encoder_form=artifacts.put(pack_form(str(encoder), cache, precision)),
        encoder_source=artifacts.put(pack_folder(encoder)),
        encoder_bridge="",
    )


def _read_ranking(folder: Path) -> dict[str, Any]:
    """Return how a folder says that its version fuses; nothing where it does not say."""
    path = folder / OWN / RANKING
    if not path.exists():
        return {}
    try:
        told = json.loads(path.read_text())
        curve = ClickCurve(relevant=tuple(told["curve"]["relevant"]), other=tuple(told["curve"]["other"]))
        return {"fusion": told["fusion"], "weights": dict(told["weights"]), "curve": curve}
    except (ValueError, KeyError, TypeError) as problem:
        raise InvalidRequest(f"{path} does not say how the version fuses: {problem!r}") from problem
