"""How the trainers of sentence-transformers are run: in silence, with checkpoints, and no longer than they may."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
from datasets.utils.logging import disable_progress_bar
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.utils import logging

from foundation.clock import monotonic_s
from foundation.disk.files import write_whole

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_WARMUP = 0.1  # a share of all steps
_DECAY = 0.01
_KEPT_CHECKPOINTS = 2
_STATE = "trainer_state.json"

T = TypeVar("T", bound="DataclassInstance")

_logging = cast("Any", logging)
"""How transformers prints; it gives that no types."""


def describe_steps(folder: Path, *, batch: int, learning_rate: float, save_every: int, seed: int) -> dict[str, Any]:
    """Return the arguments that all trainers get: one pass over what they are given, with checkpoints in a folder.

    Args:
        batch: Examples a step.
        learning_rate: Highest one; it rises for a tenth of the steps and falls along a cosine.
        save_every: Steps between two checkpoints.
    """
    gpu = torch.cuda.is_available()
    return {
        "output_dir": str(folder),
        "num_train_epochs": 1,
        "per_device_train_batch_size": batch,
        "learning_rate": learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": _WARMUP,
        "weight_decay": _DECAY,
        "save_strategy": "steps",
        "save_steps": save_every,
        "save_total_limit": _KEPT_CHECKPOINTS,
        "logging_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "bf16": gpu and torch.cuda.is_bf16_supported(),
        "use_cpu": not gpu,
        "dataloader_pin_memory": gpu,
        "seed": seed,
        "data_seed": seed,
    }


@contextmanager
def silence() -> Iterator[None]:
    """Keep the libraries from printing bars, reports of what they load, and warnings about their own next releases."""
    _logging.disable_progress_bar()
    disable_progress_bar()
    before = _logging.get_verbosity()
    _logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        _logging.set_verbosity(before)


def keep_begun(file: Path, kind: type[T], make: Callable[[], list[T]]) -> list[T]:
    """Return what a training began with: evidence moves on while it is killed and begun again.

    Args:
        file: Keeps it, as JSON.
        kind: A dataclass of plain values.
    """
    if file.exists():
        return [kind(**one) for one in json.loads(file.read_text())]
    made = make()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps([asdict(one) for one in made], ensure_ascii=False).encode())
    return made


def find_checkpoint(folder: Path) -> str | None:
    """Return the newest checkpoint that is whole; its state is written last."""
    whole = []
    for path in folder.glob(f"checkpoint-*/{_STATE}"):
        try:
            whole.append((int(json.loads(path.read_text())["global_step"]), str(path.parent)))
        except ValueError:
            continue
    return max(whole)[1] if whole else None


class Watch(TrainerCallback):
    """Tells how far a training is, and stops it when its time is over.

    Args:
        what: What is trained, for people.
        batch: Examples a step.
        limit_s: Seconds of this process after which it ends.
    """

    def __init__(self, what: str, batch: int, limit_s: float, progress: Callable[[str], None]) -> None:
        self._what = what
        self._batch = batch
        self._limit_s = limit_s
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
        rate = (state.global_step - self._began_at) * self._batch / max(took_s, 1e-9)
        self._progress(f"{self._what}: step {state.global_step} of {state.max_steps}, {rate:.1f} pairs a second")
        if took_s >= self._limit_s:
            control.should_training_stop = True
