"""Folders that belong to one living process, on this machine or on another that shares the volume.

A process is known by its host, its start and a lock that it holds as long as it lives. Its process id says nothing:
each container counts from 1.
"""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from uuid import uuid4

from foundation.clock import SystemClock
from foundation.disk.files import create_held, hold
from foundation.disk.folders import make_folder

_LOCK = "held"
_HOST_CHARACTERS = 32
_UNHELD_S = 24 * 3600.0
"""A folder without a lock that has not changed for so long is left over: an earlier release made it, or half of it."""


def name_process() -> str:
    """Return a name for this process that no other has, on any host: at most 55 characters."""
    started = SystemClock().now().strftime("%Y%m%dT%H%M%S")
    return f"{socket.gethostname()[:_HOST_CHARACTERS]}-{started}-{uuid4().hex[:6]}"


class Claim:
    """A folder that is this process's own until it is released or the process ends, however it ends.

    Args:
        root: Where such folders lie; those of processes that died are removed.
        name: Of the process; see `name_process`.

    Attributes:
        folder: The folder.

    Raises:
        FolderClosed: It cannot be made.
    """

    def __init__(self, root: Path, name: str) -> None:
        make_folder(root)
        remove_unclaimed(root)
        self.folder = root / name
        unseen = root / f".{name}"
        make_folder(unseen)
        self._held = create_held(unseen / _LOCK)
        unseen.rename(self.folder)

    def release(self) -> None:
        """Give the folder up, with everything in it; once is enough."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._held is not None:
            os.close(self._held)
            self._held = None


def remove_unclaimed(root: Path) -> None:
    """Remove the folders of processes that died, as far as they are open to this user."""
    now_s = SystemClock().now().timestamp()
    for folder in [path for path in root.iterdir() if path.is_dir()]:
        held = hold(folder / _LOCK) if not folder.name.startswith(".") else None
        if held is not None or _is_left_over(folder, now_s):
            shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            os.close(held)


def _is_left_over(folder: Path, now_s: float) -> bool:
    try:
        unheld = folder.name.startswith(".") or not (folder / _LOCK).exists()
        return unheld and now_s - folder.stat().st_mtime > _UNHELD_S
    except (FileNotFoundError, PermissionError):
        return False  # another process was faster, or the folder is closed to this user
