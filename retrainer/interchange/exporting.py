"""Writes a version as a folder of sentence-transformers, with ONNX networks and a model card."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np
from sentence_transformers import SentenceTransformer
from transformers.utils.logging import disable_progress_bar

from foundation.arrays import Floats
from foundation.errors import ArtifactDamaged, Conflict
from foundation.registry.registry import Version
from retrainer.interchange.card import Agreement, write_card
from retrainer.interchange.folders import NETWORKS, OWN, write_folder
from retrainer.interchange.networks import write_networks
from serving.encode.encoder import Encoder
from serving.ranking.adaptation import Adapter

MIN_COSINE = 0.999
RANKING = "version.json"
"""File, in the subfolder of what only clickloop reads, of how the version fuses."""


_hide_bars = cast("Callable[[], None]", disable_progress_bar)
"""Hides the bars of transformers, which gives it no types."""


@dataclass(frozen=True, slots=True)
class ExportedEncoder:
    """The encoder of a version in its forms.

    Attributes:
        folder: Its weights, as sentence-transformers reads them.
        network: Its ONNX network in full precision.
        exact: That network, opened.
        serving: The network that serves.
        max_tokens: Where texts are cut, None for where the folder says.
    """

    folder: Path
    network: Path
    exact: Encoder
    serving: Encoder
    max_tokens: int | None


def export_version(
    version: Version, encoder: ExportedEncoder, adapter: Adapter | None, texts: Sequence[str], target: Path
) -> Agreement:
    """Write a version to a folder, which appears whole or not at all, and return how well it agrees with the version.

    Args:
        texts: Queries to compare by, at least one.

    Raises:
        Conflict: The folder is there already and not empty.
        ArtifactDamaged: The folder would say something else than the version.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Conflict(f"{target} is not empty; delete it or choose another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    _hide_bars()
    with TemporaryDirectory(dir=target.parent) as scratch:
        part = Path(scratch) / "version"
        write_folder(encoder.folder, adapter, part, encoder.max_tokens)
        model = SentenceTransformer(str(part), device="cpu", local_files_only=True)
        agreement = _compare(model, encoder, adapter, list(texts))
        if agreement.exact < MIN_COSINE:
            raise ArtifactDamaged(
                f"version {version.id} as a folder differs from what serves: cosine {agreement.exact:.4f}"
            )
        (part / NETWORKS).mkdir()
        write_networks(encoder.network, adapter, part / NETWORKS)
        (part / OWN).mkdir()
        (part / OWN / RANKING).write_text(json.dumps(_tell_ranking(version), indent=2))
        card = write_card(
            version,
            dimension=encoder.exact.dimension,
            max_tokens=int(model.max_seq_length or 0),
            adapted=adapter is not None,
            agreement=agreement,
        )
        (part / "README.md").write_text(card)
        part.replace(target)
    return agreement


def _compare(
    model: SentenceTransformer, encoder: ExportedEncoder, adapter: Adapter | None, texts: list[str]
) -> Agreement:
    told = np.asarray(model.encode_query(texts, normalize_embeddings=True, show_progress_bar=False), np.float32)
    documents = np.asarray(model.encode_document(texts, normalize_embeddings=True, show_progress_bar=False), np.float32)
    exact, serving = (_read(one, adapter, texts) for one in (encoder.exact, encoder.serving))
    plain = _least_cosine(documents, encoder.exact.encode(texts))
    return Agreement(min(plain, _least_cosine(told, exact)), _least_cosine(told, serving), len(texts))


def _read(encoder: Encoder, adapter: Adapter | None, texts: list[str]) -> Floats:
    """Return the vectors that serving searches by."""
    plain = np.stack([encoder.encode_query(text) for text in texts])
    return adapter.adapt(plain) if adapter else plain


def _least_cosine(some: Floats, others: Floats) -> float:
    return float(np.einsum("ij,ij->i", some, others).min())


def _tell_ranking(version: Version) -> dict[str, object]:
    told = version.manifest.to_json()
    return {"version": version.id, "name": version.name} | {name: told[name] for name in ("fusion", "weights", "curve")}
