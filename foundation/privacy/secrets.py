"""Secrets of an installation: files in `home` that only its owner reads, made when first asked for."""

from __future__ import annotations

import os
from pathlib import Path

from foundation.disk.files import write_whole
from foundation.disk.folders import make_folder

_BYTES = 32
_OWNER_ONLY = 0o600


def secret(home: Path, name: str) -> bytes:
    """Return the secret called `name`, 32 random bytes that stay the same as long as its file does.

    Processes that ask at once get the same one: the first wins.
    """
    path = home / f"{name}.key"
    if not path.exists():
        make_folder(home)
        write_whole(path, os.urandom(_BYTES), durable=True, first=True, mode=_OWNER_ONLY)
    return path.read_bytes()
