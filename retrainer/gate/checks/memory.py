"""How much memory a candidate's learned parts take in every replica."""

from __future__ import annotations

from retrainer.gate.checks.finding import GateFinding
from retrainer.gate.measurements import Measurements

MAX_MIB = 512.0


def check_memory(measured: Measurements) -> GateFinding:
    """Find whether the learned parts, once loaded, fit beside everything else."""
    return GateFinding("MiB of its parts", measured.memory_mib, "below", MAX_MIB, "takes too much memory")
