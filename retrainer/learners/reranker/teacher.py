"""The teacher: a cross-encoder that reads query and passage together, and so knows better than any encoder.

It is too slow to serve: each passage of each search would be read anew. What it says of the groups is distilled.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from sentence_transformers import CrossEncoder, CrossEncoderTrainer, CrossEncoderTrainingArguments
from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss
from transformers import PrinterCallback

from foundation.arrays import Floats
from retrainer.learners.reranker.groups import OTHERS, RankedGroup
from retrainer.learners.steps import Watch, describe_steps, find_checkpoint, silence

_LEARNING_RATE = 5e-5
_BATCH = 32
_SAVE_EVERY = 20
_CONTRASTED = 4
"""Of the passages that do not answer, so many are learned from; all are ranked."""

_NETWORK = frozenset({"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"})
_WHOLE = "model"


@silence()
def train_teacher(
    base: Path,
    groups: Sequence[RankedGroup],
    *,
    folder: Path,
    max_tokens: int,
    limit_s: float,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
) -> CrossEncoder:
    """Return a cross-encoder that tells the answers of groups from the others; goes on where it was in `folder`.

    Args:
        base: Folder of the network to start from, an encoder's or a cross-encoder's.
        max_tokens: Where query and passage together are cut.
        limit_s: Training stops after so many seconds of one process.
    """
    if (folder / _WHOLE).exists():
        known: CrossEncoder = CrossEncoder(str(folder / _WHOLE), local_files_only=True)
        return known
    model: CrossEncoder = CrossEncoder(str(_take_network(base, folder / "base")), num_labels=1, local_files_only=True)
    model.max_seq_length = max_tokens
    model.model_card_data.generate_widget_examples = False
    pace = describe_steps(
        folder / "checkpoints", batch=_BATCH, learning_rate=_LEARNING_RATE, save_every=_SAVE_EVERY, seed=seed
    )
    trainer = CrossEncoderTrainer(
        model=model,
        args=CrossEncoderTrainingArguments(**pace),
        train_dataset=_to_dataset(groups, seed),
        loss=BinaryCrossEntropyLoss(model, pos_weight=torch.tensor(float(_CONTRASTED))),
        callbacks=[Watch("teacher", _BATCH, limit_s, progress)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=find_checkpoint(folder / "checkpoints"))
    model.save_pretrained(str(folder / _WHOLE))
    return model


def score_groups(teacher: CrossEncoder, groups: Sequence[RankedGroup]) -> Floats:
    """Return what a teacher says of every passage, in log-odds, float32 of shape (groups, 1 + OTHERS)."""
    pairs = [(group.query, passage) for group in groups for passage in group.passages]
    found = teacher.predict(pairs, activation_fn=torch.nn.Identity(), show_progress_bar=False)
    return np.asarray(found, np.float32).reshape(len(groups), 1 + OTHERS)


def reciprocal_rank(scores: Floats) -> float:
    """Return the mean reciprocal rank of the answers, which come first in each row of scores; ties count against it."""
    ranks = (scores >= scores[:, :1]).sum(axis=1)
    return float((1 / ranks).mean()) if len(ranks) else 0.0


def _take_network(base: Path, folder: Path) -> Path:
    """Copy the network of a folder without what says how an encoder pools it."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in base.iterdir():
        if file.name in _NETWORK:
            shutil.copyfile(file, folder / file.name)
    return folder


def _to_dataset(groups: Sequence[RankedGroup], seed: int) -> Dataset:
    rows = [
        (group.query, passage, group.relevance if place == 0 else 0.0)
        for group in groups
        for place, passage in enumerate(group.passages[: 1 + _CONTRASTED])
    ]
    order = np.random.default_rng(seed).permutation(len(rows)).tolist()
    query, passage, relevance = zip(*(rows[place] for place in order), strict=True)
    return Dataset.from_dict({"query": query, "passage": passage, "label": relevance})
