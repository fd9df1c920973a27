"""Fine-tunes an encoder by sentence-transformers' trainer; what a process that was killed had learned is not lost."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import torch
from datasets import Dataset
from datasets.utils.logging import disable_progress_bar
from peft import LoraConfig, inject_adapter_in_model
from safetensors.torch import load_file
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.base.sampler import BatchSamplers
from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss
from transformers import PrinterCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.utils.logging import disable_progress_bar as disable_progress_bars

from foundation.clock import monotonic_s
from foundation.disk.files import write_whole
from foundation.ids import digest_json
from retrainer.learners.encoder.merging import choose_share, measure_reciprocal_rank, merge_weights, read_weights
from retrainer.learners.encoder.pairs import TrainingPair, draw_pairs

_WARMUP = 0.1  # a share of all steps
_DECAY = 0.01
_RANK = 16
_KEPT_CHECKPOINTS = 2
_STATE = "trainer_state.json"
_TASK = "task.json"


_hide_bars = cast("Callable[[], None]", disable_progress_bars)
"""Hides the bars of transformers, which gives it no types."""


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
    _hide_bars()
    disable_progress_bar()
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
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(folder / "checkpoints"),
        num_train_epochs=1,
        per_device_train_batch_size=plan.batch,
        learning_rate=plan.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=_WARMUP,
        weight_decay=_DECAY,
        batch_sampler=BatchSamplers.NO_DUPLICATES,
        save_strategy="steps",
        save_steps=plan.save_every,
        save_total_limit=_KEPT_CHECKPOINTS,
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        bf16=torch.cuda.is_available() and torch.cuda.is_bf16_supported(),
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        seed=seed,
        data_seed=seed,
    )
    model.model_card_data.generate_widget_examples = False
    trainer = _Trainer(
        model=model,
        args=arguments,
        train_dataset=_to_dataset(seen),
        loss=CachedMultipleNegativesRankingLoss(model, mini_batch_size=plan.at_once),
        callbacks=[_Watch(plan, progress)],
    )
    trainer.remove_callback(PrinterCallback)  # it would print between what the command line prints
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries, about their own next releases
        trainer.train(resume_from_checkpoint=_find_checkpoint(folder / "checkpoints"))
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


def _find_checkpoint(folder: Path) -> str | None:
    """Return the newest checkpoint that is whole; its state is written last."""
    whole = []
    for path in folder.glob(f"checkpoint-*/{_STATE}"):
        try:
            whole.append((int(json.loads(path.read_text())["global_step"]), str(path.parent)))
        except ValueError:
            continue
    return max(whole)[1] if whole else None


class _Watch(TrainerCallback):
    """Tells how far the training is, and stops it when its time is over."""

    def __init__(self, plan: TuningPlan, progress: Callable[[str], None]) -> None:
        self._plan = plan
        self._progress = progress
        self._began_s = 0.0
        self._began_at = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Note when this process began, and at which step."""
        del args, control, kwargs
        self._began_s, self._began_at = monotonic_s(), state.global_step

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Tell the step and the rate; stop at the limit."""
        del args, kwargs
        took_s = monotonic_s() - self._began_s
        rate = (state.global_step - self._began_at) * self._plan.batch / max(took_s, 1e-9)
        self._progress(f"fine-tuning: step {state.global_step} of {state.max_steps}, {rate:.1f} pairs a second")
        if took_s >= self._plan.limit_s:
            control.should_training_stop = True
