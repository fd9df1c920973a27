"""What other parts use of the retrainer: runs, the champion's moves, people's judgments, how much learning needs."""

from __future__ import annotations

from retrainer.data.threshold import Threshold, read_threshold
from retrainer.gold.store import GoldSet
from retrainer.hotswap import HotSwap
from retrainer.runs import Run, Runs

__all__ = ["GoldSet", "HotSwap", "Run", "Runs", "Threshold", "read_threshold"]
