"""Folders that an installation writes to."""

from __future__ import annotations

import os
from pathlib import Path

from foundation.errors import FolderClosed


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, unless it is there.

    Raises:
        FolderClosed: It cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise _closed(folder, problem.strerror or str(problem)) from problem
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _closed(folder, "its permissions do not let this user write there")


def _closed(folder: Path, reason: str) -> FolderClosed:
    return FolderClosed(f"{folder}: {reason}; let this user write there, or name another folder by CLICKLOOP_HOME")
