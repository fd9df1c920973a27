"""Learns an encoder for a collection: pairs from labels, the fine-tuning, and the form in which it serves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer

from foundation.contracts import Label
from foundation.disk.files import write_whole
from foundation.errors import ArtifactDamaged, Conflict
from retrainer.data.splits import assign_folds, cluster_queries
from retrainer.interchange.packing import pack_folder
from retrainer.learners.encoder.pairs import TrainingPair, make_pairs
from retrainer.learners.encoder.protocol import LearnedEncoder
from retrainer.learners.encoder.tuning import TunedEncoder, TuningPlan, tune_encoder
from serving.encode.form import open_encoder, pack_form, packaged_model
from serving.encode.query import Query
from serving.index.corpus import Corpus

MIN_PAIRS = 32
"""Fewer teach an encoder nothing that an adapter does not learn in a second."""

MIN_HELD_OUT = 4
_HELD_OUT_SHARE = 10
_MIN_COSINE = 0.999
_COMPARED = 64
_COMPARED_CHARACTERS = 300
_PAIRS = "pairs.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderLearner:
    """Fine-tunes the encoder of the settings.

    Attributes:
        base: Folder of the encoder to start from; the packaged one when empty.
        precision: Of the form that serves.
        forms: Keeps exported forms.
        folder: Keeps what a training has reached. A training that is given the same folder goes on with the pairs
            that it began with.
    """

    base: str
    precision: str
    forms: Path
    folder: Path
    plan: TuningPlan

    def learn(
        self,
        labels: list[Label],
        corpus: Corpus,
        queries: dict[str, Query],
        *,
        seed: int,
        progress: Callable[[str], None],
    ) -> LearnedEncoder:
        """Return the encoder that labels teach; see `LearnsEncoder.learn`."""
        pairs = self._keep_pairs(lambda: make_pairs(labels, corpus, queries, seed))
        learned, held_out = _split(pairs, queries)
        if len(pairs) < MIN_PAIRS:
            raise Conflict(f"only {len(pairs)} pairs of a query and an answer are known; {MIN_PAIRS} are needed")
        if min(len(learned), len(held_out)) < MIN_HELD_OUT:
            raise Conflict(
                f"of {len(pairs)} pairs {len(held_out)} could be kept aside to choose by, {MIN_HELD_OUT} are needed: "
                "the queries are too few or too much alike"
            )
        base = Path(self.base) if self.base else packaged_model()
        tuned = tune_encoder(
            base, learned, held_out, folder=self.folder / "tuning", plan=self.plan, seed=seed, progress=progress
        )
        if tuned.share == 0.0:
            raise Conflict(
                f"fine-tuning on {len(learned)} pairs made the encoder no better on {len(held_out)} others "
                f"(MRR@10 {tuned.quality[0.0]:.3f} before); it stays as it is"
            )
        progress("fine-tuning: exporting the encoder")
        name = self._export(tuned, [pair.passage for pair in held_out])
        return LearnedEncoder(
            name=name,
            form=pack_form(str(tuned.model), self.forms, self.precision),
            source=pack_folder(tuned.model),
            lineage=_tell(tuned, len(learned), self.base),
        )

    def _keep_pairs(self, make: Callable[[], list[TrainingPair]]) -> list[TrainingPair]:
        """Return the pairs that this training began with: evidence moves on while it is killed and begun again."""
        kept = self.folder / _PAIRS
        if kept.exists():
            return [TrainingPair(**pair) for pair in json.loads(kept.read_text())]
        pairs = make()
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(kept, json.dumps([asdict(pair) for pair in pairs], ensure_ascii=False).encode())
        return pairs

    def _export(self, tuned: TunedEncoder, texts: list[str]) -> str:
        """Export an encoder, compare the form with the library on some texts, and return its name."""
        whole = open_encoder(str(tuned.model), self.forms, "fp32", threads=1)
        compared = [text[:_COMPARED_CHARACTERS] for text in texts[:_COMPARED]]
        library = SentenceTransformer(str(tuned.model), local_files_only=True)
        expected = library.encode(compared, normalize_embeddings=True, show_progress_bar=False)
        cosine = float(np.einsum("ij,ij->i", whole.encode(compared), expected).min())
        if cosine < _MIN_COSINE:
            raise ArtifactDamaged(f"the exported encoder differs from the trained one: cosine {cosine:.4f}")
        return open_encoder(str(tuned.model), self.forms, self.precision, threads=1).digest


def _split(pairs: list[TrainingPair], queries: dict[str, Query]) -> tuple[list[TrainingPair], list[TrainingPair]]:
    """Return the pairs to learn from, and those of a tenth of the queries; alike queries stay together."""
    by_text = {query.text: query for query in queries.values()}
    texts = sorted({pair.query for pair in pairs} & by_text.keys())
    if not texts:
        return pairs, []
    folds = assign_folds(
        texts, cluster_queries(np.stack([by_text[text].vector for text in texts])), _HELD_OUT_SHARE, "tuning"
    )
    held = {text for text, fold in zip(texts, folds.tolist(), strict=True) if fold == 0}
    return [pair for pair in pairs if pair.query not in held], [pair for pair in pairs if pair.query in held]


def _tell(tuned: TunedEncoder, pairs: int, base: str) -> dict[str, Any]:
    return {
        "encoder_base": Path(base).name if base else "packaged",
        "encoder_pairs": pairs,
        "encoder_steps": tuned.steps,
        "encoder_share": tuned.share,
        "encoder_mrr_before": round(tuned.quality[0.0], 4),
        "encoder_mrr": round(tuned.quality[tuned.share], 4),
        "encoder_seconds": tuned.seconds,
    }
