"""What other parts use of the retrainer: training runs, the champion's moves, and how much learning needs."""

from __future__ import annotations

from retrainer.data.threshold import Threshold, read_threshold
from retrainer.hotswap import HotSwap
from retrainer.runs import Run, Runs

__all__ = ["HotSwap", "Run", "Runs", "Threshold", "read_threshold"]
