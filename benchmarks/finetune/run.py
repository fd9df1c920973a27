"""`clickloop bench finetune`: the slow learners part by part, what they gain and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.finetune import bridge, encoder, interchange, kills, labels, student, tower
from benchmarks.harness.report import Bar, Findings

ALL_PARTS = ("encoder", "bridge", "interchange", "tower", "student", "labels", "kills")
QUICK_PARTS = ("encoder",)

Tell = Callable[[str], None]


def run(
    data: Path | None,
    minutes: float,
    seed: int,
    quick: bool,
    tell: Tell,
    only: tuple[str, ...],
    pictures: Path | None = None,
) -> Findings:
    """Return the bars of the parts asked for, by their names in `ALL_PARTS`.

    Args:
        data: Folder of judged collections in BEIR form; docstrings of packages without one.
        minutes: Most minutes of training an encoder.
        quick: Smaller collections.
        pictures: Folder for the picture of the student.
    """
    torch.set_num_threads(1)
    parts: dict[str, Callable[[], Findings]] = {
        "encoder": lambda: encoder.measure(data, minutes, seed, quick, tell),
        "bridge": lambda: bridge.measure(data, minutes, seed, quick, tell),
        "interchange": lambda: interchange.measure(data, seed, quick, tell),
        "tower": lambda: tower.measure(data, seed, quick, tell),
        "student": lambda: student.measure(data, minutes, seed, quick, tell, pictures),
        "labels": lambda: labels.measure(data, minutes, seed, quick, tell),
        "kills": lambda: kills.measure(seed, quick, tell),
    }
    bars: list[Bar] = []
    details: dict[str, Any] = {}
    for part in only:
        tell(part)
        found = parts[part]()
        bars += found.bars
        details |= found.details
    return Findings(bars, details)
