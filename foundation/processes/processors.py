"""How many processors this process may use: those it may run on, within the limits of its control groups."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

_GROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def at_once(processes: int) -> int:
    """Return how many computations one of so many equal processes should run at the same time, at least one."""
    return max(1, round(processors() / processes))


def processors(groups: Path = _GROUPS, membership: Path = _MEMBERSHIP) -> float:
    """Return the processors that this process may use; a container's share may be a fraction.

    Args:
        groups: Where the control groups are mounted, of version 2 or 1.
        membership: Names the groups of this process.
    """
    return min([float(_runnable()), *_quotas(groups, membership)])


def _runnable() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quotas(groups: Path, membership: Path) -> Iterator[float]:
    """Yield the processors that each group around this process may use, of those that have a limit."""
    for line in _read(membership).splitlines():
        _, controllers, name = line.split(":", 2)
        if not controllers:
            yield from _limits(groups, name, _of_version_2)
        elif "cpu" in controllers.split(","):
            for mount in {"cpu", controllers}:
                yield from _limits(groups / mount, name, _of_version_1)


def _limits(mount: Path, name: str, read: Callable[[Path], tuple[str, str]]) -> Iterator[float]:
    """Yield the limits of a group and of all around it, as far as a container sees them."""
    group = PurePosixPath(name)
    for one in (group, *group.parents):
        quota, period = read(mount / one.relative_to("/"))
        if quota.isdigit() and period.isdigit() and int(period) > 0:
            yield int(quota) / int(period)


def _of_version_2(folder: Path) -> tuple[str, str]:
    quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
    return quota, period  # "max" is no limit


def _of_version_1(folder: Path) -> tuple[str, str]:
    quota, period = (_read(folder / f"cpu.cfs_{one}_us").strip() for one in ("quota", "period"))
    return quota, period  # "-1" is no limit


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # this system has no such groups, or shows them to nobody
