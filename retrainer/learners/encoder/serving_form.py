"""The form in which a trained encoder serves, compared with the library that trained it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer

from foundation.errors import ArtifactDamaged
from retrainer.interchange.packing import pack_folder
from retrainer.learners.encoder.protocol import LearnedEncoder
from serving.encode.form import open_encoder, pack_form

_MIN_COSINE = 0.999
_COMPARED = 64
_COMPARED_CHARACTERS = 300


def export_encoder(
    model: Path, texts: Sequence[str], *, forms: Path, precision: str, lineage: dict[str, Any]
) -> LearnedEncoder:
    """Export the encoder in a folder, compare the form with the library on some texts, and return it ready to serve.

    Args:
        forms: Keeps exported forms.
        precision: Of the form that serves.

    Raises:
        ArtifactDamaged: The exported form says something else than the trained encoder.
    """
    whole = open_encoder(str(model), forms, "fp32", threads=1)
    compared = [text[:_COMPARED_CHARACTERS] for text in texts[:_COMPARED]]
    library = SentenceTransformer(str(model), local_files_only=True)
    expected = library.encode(compared, normalize_embeddings=True, show_progress_bar=False)
    cosine = float(np.einsum("ij,ij->i", whole.encode(compared), expected).min())
    if cosine < _MIN_COSINE:
        raise ArtifactDamaged(f"the exported encoder differs from the trained one: cosine {cosine:.4f}")
    return LearnedEncoder(
        name=open_encoder(str(model), forms, precision, threads=1).digest,
        form=pack_form(str(model), forms, precision),
        source=pack_folder(model),
        lineage=lineage,
    )
