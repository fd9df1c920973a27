"""What a bench ran on: figures mean little without it."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any


def describe_machine() -> dict[str, Any]:
    """Return the machine's processor, cores, memory and Python."""
    return {
        "processor": _find(Path("/proc/cpuinfo"), "model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory": _find(Path("/proc/meminfo"), "MemTotal"),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def _find(file: Path, name: str) -> str:
    """Return the value of the first line `name : value` of a file, "" without one."""
    if not file.exists():
        return ""
    pairs = (line.partition(":") for line in file.read_text().splitlines())
    return next((value.strip() for key, _, value in pairs if key.strip() == name), "")
