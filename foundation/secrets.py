"""Secrets of an installation: files in `home` that only its owner reads, made when first asked for."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

from foundation.folders import make_folder

_BYTES = 32
_OWNER_ONLY = 0o600


def secret(home: Path, name: str) -> bytes:
    """Return the secret called `name`, 32 random bytes that stay the same as long as its file does.

    Processes that ask at once get the same one: a whole file is linked into place, and the first wins.
    """
    path = home / f"{name}.key"
    if not path.exists():
        _make(path)
    return path.read_bytes()


def _make(path: Path) -> None:
    make_folder(path.parent)
    draft = path.with_name(f"{path.name}.{uuid4().hex}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
        file.write(os.urandom(_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # another process was first, and its secret holds
    finally:
        draft.unlink()
