"""Fine-tunes an encoder by sentence-transformers' trainer; what a process that was killed had learned is not lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from datasets import Dataset
from peft import LoraConfig, inject_adapter_in_model
from safetensors.torch import load_file
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.base.sampler import BatchSamplers
from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss
from transformers import PrinterCallback

from foundation.clock import monotonic_s
from foundation.disk.files import write_whole
from foundation.ids import digest_json
from retrainer.learners.encoder.merging import choose_share, measure_reciprocal_rank, merge_weights, read_weights
from retrainer.learners.encoder.pairs import TrainingPair, draw_pairs
from retrainer.learners.steps import Watch, describe_steps, find_checkpoint, silence

_RANK = 16
_TASK = "task.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningPlan:
    """How an encoder is fine-tuned.

    Attributes:
        epochs: How often a pair of mean weight is seen.
        batch: Pairs that compete with each other in one step.
        at_once: Texts that are in memory at once; the loss does not depend on it.
        learning_rate: Highest one; it rises for a tenth of the steps and falls along a cosine.
        low_rank: Whether only low-rank changes of the weights are learned (Hu et al. 2021, arXiv:2106.09685).
        max_tokens: Where texts are cut.
        limit_s: Training stops after so many seconds of one process.
        save_every: Steps between two checkpoints.
    """

    epochs: int = 2
    batch: int = 64
    at_once: int = 16
    learning_rate: float = 5e-5
    low_rank: bool = False
    max_tokens: int = 128
    limit_s: float = 1200.0
    save_every: int = 10


@dataclass(frozen=True, slots=True)
class TunedEncoder:
    """A fine-tuned encoder.

    Attributes:
        model: Folder in sentence-transformers' form.
        share: Share of the fine-tuned weights in the merged ones; 0 when nothing was better than the weights before.
        quality: MRR@10 on held-out queries by share.
        pairs: Pairs seen, repeated ones counted again.
        seconds: What the training took in this process.
    """

    model: Path
    share: float
    quality: dict[float, float]
    steps: int
    pairs: int
    seconds: float


@silence()
def tune_encoder(
    base: Path,
    pairs: list[TrainingPair],
    held_out: list[TrainingPair],
    *,
    folder: Path,
    plan: TuningPlan,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
) -> TunedEncoder:
    """Fine-tune the encoder in `base` on pairs, and merge the result with it as `held_out` asks for.

    Deterministic for a seed on one machine. A call with the same arguments goes on from the last whole checkpoint.

    Args:
        base: Folder of the encoder to start from, the same each time: chains of fine-tunings forget.
        held_out: Pairs of queries that are alike to none in `pairs`, to choose by.
        folder: Keeps checkpoints, and the result in `model`.
    """
    began_s = monotonic_s()
    _prepare(folder, base, pairs, plan, seed)
    model = SentenceTransformer(str(base), local_files_only=True)
    model.max_seq_length = plan.max_tokens
    before = read_weights(model)
    if plan.low_rank:
        _make_low_rank(model)
    seen = draw_pairs(pairs, plan.epochs * len(pairs), seed)
    steps = _train(model, seen, folder, plan=plan, seed=seed, progress=progress)
    tuned = read_weights(model)
    merged = SentenceTransformer(str(base), local_files_only=True)
    length = merged.max_seq_length

    def judge(share: float) -> float:
        progress(f"fine-tuning: judging {share:.0%} of the new weights")
        merge_weights(merged, before, tuned, share)
        merged.max_seq_length = plan.max_tokens
        return measure_reciprocal_rank(lambda texts: merged.encode(texts, show_progress_bar=False), held_out, pairs)

    share, quality = choose_share(judge)
    merge_weights(merged, before, tuned, share)
    merged.max_seq_length = length
    merged.save_pretrained(str(folder / "model"), create_model_card=False)
    return TunedEncoder(
        folder / "model", share, quality, steps, min(len(seen), steps * plan.batch), round(monotonic_s() - began_s, 1)
    )


def _prepare(folder: Path, base: Path, pairs: list[TrainingPair], plan: TuningPlan, seed: int) -> None:
    """Empty the folder unless it holds the beginning of the very same training."""
    task = {"base": str(base), "pairs": [asdict(pair) for pair in pairs], "plan": asdict(plan), "seed": seed}
    digest = digest_json(task).encode()
    if (folder / _TASK).exists() and (folder / _TASK).read_bytes() == digest:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_whole(folder / _TASK, digest)


def _train(
    model: SentenceTransformer,
    seen: list[TrainingPair],
    folder: Path,
    *,
    plan: TuningPlan,
    seed: int,
    progress: Callable[[str], None],
) -> int:
    """Train a model in place and return the steps taken, those before a checkpoint included."""
    pace = describe_steps(
        folder / "checkpoints",
        batch=plan.batch,
        learning_rate=plan.learning_rate,
        save_every=plan.save_every,
        seed=seed,
    )
    arguments = SentenceTransformerTrainingArguments(**pace, batch_sampler=BatchSamplers.NO_DUPLICATES)
    model.model_card_data.generate_widget_examples = False
    trainer = _Trainer(
        model=model,
        args=arguments,
        train_dataset=_to_dataset(seen),
        loss=CachedMultipleNegativesRankingLoss(model, mini_batch_size=plan.at_once),
        callbacks=[Watch("fine-tuning", plan.batch, plan.limit_s, progress)],
    )
    trainer.remove_callback(PrinterCallback)  # it would print between what the command line prints
    trainer.train(resume_from_checkpoint=find_checkpoint(folder / "checkpoints"))
    return int(trainer.state.global_step)


def _make_low_rank(model: SentenceTransformer) -> None:
    """Put low-rank changes beside the weights of every linear layer; nothing else learns from then on."""
    config = LoraConfig(r=_RANK, lora_alpha=2 * _RANK, target_modules="all-linear")
    inject_adapter_in_model(config, _transformer(model))
    for name, weights in model.named_parameters():
        weights.requires_grad_("lora_" in name)


def _transformer(model: Any) -> torch.nn.Module:
    return cast("torch.nn.Module", model[0].auto_model)


class _Trainer(SentenceTransformerTrainer):
    """Loads checkpoints whose transformer has low-rank changes beside its weights too."""

    def _load_from_checkpoint(self, resume_from_checkpoint: str, _model: torch.nn.Module | None = None) -> None:
        transformer = _transformer(self.model)
        if any("lora_" in name for name, _ in transformer.named_parameters()):
            transformer.load_state_dict(load_file(Path(resume_from_checkpoint) / "model.safetensors"))
        else:
            super()._load_from_checkpoint(resume_from_checkpoint)


def _to_dataset(seen: list[TrainingPair]) -> Dataset:
    columns = {"anchor": [pair.query for pair in seen], "positive": [pair.passage for pair in seen]}
    if all(pair.negative for pair in seen):
        columns["negative"] = [pair.negative for pair in seen]
    return Dataset.from_dict(columns)
