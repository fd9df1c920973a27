"""Learns an encoder for a collection: pairs from labels, the fine-tuning, and the form in which it serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from foundation.contracts import Label
from foundation.errors import Conflict
from retrainer.learners.encoder.pairs import TrainingPair, hold_out, make_pairs
from retrainer.learners.encoder.protocol import LearnedEncoder
from retrainer.learners.encoder.serving_form import export_encoder
from retrainer.learners.encoder.tuning import TunedEncoder, TuningPlan, tune_encoder
from retrainer.learners.steps import keep_begun
from serving.encode.form import packaged_model
from serving.encode.query import Query
from serving.index.corpus import Corpus

MIN_PAIRS = 32
"""Fewer teach an encoder nothing that an adapter does not learn in a second."""

MIN_HELD_OUT = 4
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
        mined: Whether pairs get hard negatives.
    """

    base: str
    precision: str
    forms: Path
    folder: Path
    plan: TuningPlan
    mined: bool = True

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
        make = partial(make_pairs, labels, corpus, queries, seed, mined=self.mined)
        pairs = keep_begun(self.folder / _PAIRS, TrainingPair, make)
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
        return export_encoder(
            tuned.model,
            [pair.passage for pair in held_out],
            forms=self.forms,
            precision=self.precision,
            lineage=_tell(tuned, len(learned), self.base),
        )


def _split(pairs: list[TrainingPair], queries: dict[str, Query]) -> tuple[list[TrainingPair], list[TrainingPair]]:
    """Return the pairs to learn from, and those of a tenth of the queries."""
    held = hold_out({pair.query for pair in pairs}, queries.values())
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
